import { readFileSync } from 'fs';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './lab';

test.describe.configure({ mode: 'serial' });

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const PANEL = '#jupyter-image-manager-panel';

/** Press Tab until something has the focus; it must be seen to have it. */
async function tabTo(
  page: Page,
  target: Locator,
  key = 'Tab'
): Promise<string[]> {
  const passed: string[] = [];
  for (let presses = 0; presses < 40; presses++) {
    if (await target.evaluate(node => node === document.activeElement)) {
      expect(
        await target.evaluate(node =>
          [node, node.closest('label')].some(
            each => each && getComputedStyle(each).outlineStyle !== 'none'
          )
        ),
        `${target} shows that it has the focus`
      ).toBe(true);
      return passed;
    }
    await page.keyboard.press(key);
    passed.push(
      await page.evaluate(() => {
        const node = document.activeElement!;
        return node.getAttribute('aria-label') ?? node.textContent ?? '';
      })
    );
  }
  throw new Error(`${target} is not reached; passed: ${passed.join(', ')}`);
}

/** Expect that axe finds nothing serious or critical in a part of the page. */
async function expectAccessible(page: Page, selector: string): Promise<void> {
  const found = await page.evaluate(async within => {
    const { violations, passes } = await (window as any).axe.run(within);
    return {
      bad: violations
        .filter((each: any) => ['serious', 'critical'].includes(each.impact))
        .flatMap((each: any) =>
          each.nodes.map(
            (node: any) => `${each.id}: ${node.html}\n${node.failureSummary}`
          )
        ),
      colours: passes.some((each: any) => each.id === 'color-contrast')
    };
  }, selector);
  expect(found, selector).toEqual({ bad: [], colours: true });
}

test('an image is built, activated and its log read without a mouse', async ({
  lab
}) => {
  const { page } = lab;
  await lab.open('churn');
  const panel = page.locator(PANEL);
  const role = (name: string | RegExp, type: 'button' | 'link' = 'button') =>
    panel.getByRole(type, { name });

  // From the tab into the panel, and from there to a project.
  await page.getByRole('tab', { name: 'Images', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(panel).toBeVisible();
  await tabTo(page, role('Make “churn” a project'));
  await page.keyboard.press('Enter');
  await expect(role('Build the first image')).toBeVisible();
  // The button is gone; the focus is still in the panel.
  await expect
    .poll(() => panel.evaluate(node => node.contains(document.activeElement)))
    .toBe(true);

  // Escape leaves the form, and the focus returns.
  await tabTo(page, role('Build the first image'));
  await page.keyboard.press('Enter');
  const form = page.getByRole('form', { name: 'New image' });
  await expect(form.getByLabel('Name')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(form).toHaveCount(0);
  await expect(role('Build the first image')).toBeFocused();

  // Fill in the form; arrows choose, Space ticks, Enter submits.
  await page.keyboard.press('Enter');
  await expect(form.getByLabel('Name')).toBeFocused();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('by-keyboard');
  await tabTo(page, form.getByRole('radio', { name: 'Dockerfile' }));
  await page.keyboard.press('ArrowLeft');
  await expect(form.getByRole('radio', { name: 'Template' })).toBeChecked();
  await tabTo(page, form.getByLabel('Python packages'));
  await tabTo(
    page,
    form.getByRole('radio', { name: 'Template', exact: true }),
    'Shift+Tab'
  );
  await page.keyboard.press('ArrowRight');
  await tabTo(page, form.getByLabel('Activate it when it is ready'));
  await page.keyboard.press('Space');
  await expect(form.getByRole('region', { name: 'Dockerfile' })).toContainText(
    'the marker of the build'
  );
  await tabTo(page, form.getByLabel('Name'), 'Shift+Tab');
  await page.keyboard.press('Enter');

  // The log has the focus; it says its state in a live region.
  const log = page.locator('.jp-ImageManager-log');
  const state = log.getByRole('status').first();
  await expect(state).toContainText('Ready', { timeout: 120_000 });
  const lines = page.getByRole('log', { name: 'Log' });
  await tabTo(page, page.getByRole('searchbox', { name: 'Search in the log' }));
  await page.keyboard.type('marker');
  await expect(log).toContainText('1 of');
  await page.keyboard.press('Escape');
  await expect(lines).toBeFocused();
  await tabTo(page, log.getByRole('button', { name: 'Activate' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  const card = panel.getByRole('region', { name: 'Active image' });
  await expect(card).toContainText('by-keyboard:1');
  await expect(log.getByRole('button', { name: 'Activate' })).toHaveCount(0);
  await expect
    .poll(() => log.evaluate(node => node.contains(document.activeElement)))
    .toBe(true);

  // Back to the panel by its command, and from the list to the image's page.
  await lab.command('image-manager:open-panel');
  const row = panel.getByRole('row').first();
  const passed = await tabTo(page, row);
  expect(passed.slice(-5, -1)).toEqual([
    'New image',
    'More about the project churn',
    'More about by-keyboard:1',
    'Change what kernels may use'
  ]);
  await page.keyboard.press('Shift+F10');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('menu')).toHaveCount(0);
  await expect(row).toBeFocused();
  await page.keyboard.press('Enter');
  const about = page.locator('.jp-ImageManager-image');
  const tab = (name: string | RegExp) => about.getByRole('tab', { name });
  await expect(about).toContainText('Will it work here? Yes');
  await tabTo(page, tab('Overview'));
  await page.keyboard.press('ArrowRight');
  await expect(tab('Dockerfile')).toBeFocused();
  await expect(about).toContainText('ENV WHERE');
  await page.keyboard.press('ArrowRight');
  await expect(about.getByRole('log', { name: 'Log' })).toContainText(
    'the marker of the build'
  );
  await page.keyboard.press('ArrowRight');
  await expect(tab(/Packages \d+/)).toBeFocused();
  await tabTo(page, about.getByLabel('Search packages'));
  await page.keyboard.type('pip');
  await expect(about.getByRole('table')).toContainText('pip');
});

test('axe finds nothing serious on any screen in either theme', async ({
  lab
}) => {
  const { page } = lab;
  await lab.open('churn');
  // JupyterLab's body has no height; axe takes all of its text for hidden then, and looks at no colour.
  await page.addStyleTag({ content: 'html, body { height: 100%; }' });
  await page.evaluate(AXE);
  const project = await lab.api('GET', 'projects?path=churn');
  const failing = await lab.api('POST', `projects/${project.id}/builds`, {
    name: 'broken',
    dockerfile_path: 'failing.dockerfile'
  });
  const panel = await lab.panel();
  await expect(
    panel.getByRole('row').filter({ hasText: 'broken:1' })
  ).toContainText('Failed', { timeout: 60_000 });
  const form = page.getByRole('form', { name: 'New image' });
  const about = page.locator('.jp-ImageManager-image');
  const { items } = await lab.api('GET', `projects/${project.id}/images`);
  const built = items.find((image: any) => image.state === 'ready');
  const goto = async (path: string, text: string) => {
    await lab.command('filebrowser:go-to-path', {
      path,
      dontShowBrowser: true
    });
    await expect(panel).toContainText(text);
  };

  for (const theme of ['JupyterLab Dark', 'JupyterLab Light']) {
    await lab.theme(theme);
    await goto('churn', 'broken:1');
    await expectAccessible(page, PANEL);
    await expectAccessible(page, '.jp-ImageManager-status');

    await lab.command('image-manager:open-log', { build_id: failing.id });
    await expect(page.locator('.jp-ImageManager-failure')).toBeVisible();
    await expectAccessible(page, '.jp-ImageManager-log');

    await lab.command('image-manager:open-image', { image_id: built.id });
    for (const name of [
      'Overview',
      'Dockerfile',
      'Log',
      'Packages',
      'Access',
      'Usage'
    ]) {
      await about.getByRole('tab', { name }).click();
      await expect(about).not.toContainText('Asking the server');
      await expectAccessible(page, '.jp-ImageManager-image');
    }

    await lab.command('image-manager:new-image', { source: 'template' });
    await expect(form).toContainText('What is sent');
    await expect(
      form.getByRole('region', { name: 'Dockerfile' })
    ).toContainText('FROM');
    await form.getByLabel('Name').fill('Not A Name');
    await expectAccessible(page, '.jp-ImageManager-form');

    await goto('many', '500');
    await expectAccessible(page, PANEL);
    await goto('survey', 'requirements.txt');
    await expectAccessible(page, PANEL);
  }
});
