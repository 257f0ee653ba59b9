import type { Page } from '@playwright/test';
import { Lab, expect, test } from './lab';

/** The panel keeps inside its width, whatever it shows. */
async function expectNoOverflow(page: Page): Promise<void> {
  const wide = await page.evaluate(() => {
    const panel = document.querySelector('#jupyter-image-manager-panel')!;
    const right = panel.getBoundingClientRect().right;
    return [
      ...panel.querySelectorAll(
        'button, .jp-ImageManager-sub, .jp-ImageManager-chip'
      )
    ]
      .filter(node => node.getBoundingClientRect().right > right + 1)
      .map(node => node.textContent);
  });
  expect(wide).toEqual([]);
}

/** Give the panel a width, also one below what JupyterLab's side bar allows. */
async function narrow(page: Page, width: number): Promise<void> {
  await page.evaluate(pixels => {
    const panel = document.querySelector<HTMLElement>(
      '#jupyter-image-manager-panel'
    )!;
    panel.style.setProperty('min-width', '0', 'important');
    panel.style.setProperty('max-width', `${pixels}px`, 'important');
  }, width);
}

test('a folder without a project offers what lies in it', async ({ lab }) => {
  await lab.open('survey');
  const panel = await lab.panel();
  await expect(panel).toContainText('requirements.txt');
  await lab.picture('empty');
  await narrow(lab.page, 220);
  await expectNoOverflow(lab.page);
  await lab.picture('empty-narrow');

  await panel.getByRole('button', { name: 'Make “survey” a project' }).click();
  await panel.getByRole('button', { name: 'Build an image from it' }).click();
  const form = lab.page.getByRole('form', { name: 'New image' });
  await expect(form.getByLabel('Python packages')).toHaveValue(
    'numpy\npandas\n'
  );
  await expect(form.getByRole('region', { name: 'Dockerfile' })).toContainText(
    'FROM'
  );
  await form.getByLabel('Name').fill('Not A Name');
  await expect(
    form.getByRole('button', { name: 'Build and activate' })
  ).toBeDisabled();
  await form.getByLabel('Name').fill('survey');
  await expect(
    form.getByRole('button', { name: 'Build and activate' })
  ).toBeEnabled();
  await lab.picture('form');
  await lab.page.keyboard.press('Escape');
  await expect(form).toHaveCount(0);
});

test('five hundred images can be searched and walked by keyboard', async ({
  lab
}) => {
  const { page } = lab;
  await lab.open('many');
  const panel = await lab.panel();
  const grid = panel.getByRole('treegrid', { name: 'Images of this project' });
  await expect(panel).toContainText('500');
  await narrow(page, 220);
  await expectNoOverflow(page);
  await lab.picture('many-narrow');
  await narrow(page, 312);

  await panel.getByPlaceholder('Search 500 images').fill('image-0043');
  await expect(grid.getByRole('row')).toHaveCount(1);
  await panel.getByPlaceholder('Search 500 images').fill('');

  // By state and order; the choice outlives the page.
  await panel.getByLabel('Show', { exact: true }).selectOption('problems');
  await expect(panel).toContainText('No image is in this state.');
  await panel.getByRole('button', { name: 'Show all' }).click();
  const kept = page.waitForRequest(
    request =>
      request.url().includes('api/workspaces') &&
      !!request.postData()?.includes('"sort":"size"')
  );
  await panel.getByLabel('Order', { exact: true }).selectOption('size');
  await expect(grid.getByRole('row').first()).toContainText('image-0499');
  await (await kept).response();
  await page.reload();
  await page.waitForFunction(() => (window as any).jupyterapp?.restored);
  await lab.panel();
  await expect(panel.getByLabel('Order', { exact: true })).toHaveValue('size');
  await expect(grid.getByRole('row').first()).toContainText('image-0499');
  await panel.getByLabel('Order', { exact: true }).selectOption('newest');
  await narrow(page, 312);

  // One tab stop; arrows move, the menu opens and gives the focus back.
  const stops = await grid.evaluate(
    node => node.querySelectorAll('[tabindex="0"]').length
  );
  expect(stops).toBe(1);
  await grid.getByRole('row').first().focus();
  await page.keyboard.press('ArrowDown');
  await expect(grid.getByRole('row').nth(1)).toBeFocused();
  await page.keyboard.press('End');
  await expect(grid.getByRole('row').last()).toBeFocused();
  await expect(grid).toContainText('image-0498');
  await page.keyboard.press('Shift+F10');
  await expect(page.getByRole('menuitem', { name: 'Delete…' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(grid.getByRole('row').last()).toBeFocused();

  await lab.command('apputils:change-theme', { theme: 'JupyterLab Dark' });
  await expect(
    page.locator('body[data-jp-theme-light="false"]')
  ).toBeAttached();
  await expect(page.locator('#jupyterlab-splash')).toHaveCount(0);
  await lab.picture('many-dark');
  await lab.command('apputils:change-theme', { theme: 'JupyterLab Light' });
  await expect(page.locator('body[data-jp-theme-light="true"]')).toBeAttached();
});

test('a foreign text is never markup', async ({ lab }) => {
  const { page } = lab;
  await lab.open('many');
  const panel = await lab.panel();
  const project = await lab.api('GET', 'projects?path=many');
  await lab.api('PATCH', `projects/${project.id}`, {
    name: '<img src=x onerror="window.hacked=1">'
  });
  await lab.command('image-manager:refresh');
  await expect(panel.getByRole('heading', { level: 2 })).toContainText(
    '<img src=x'
  );
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});

test('two tabs raise no error in the browser', async ({ lab, context }) => {
  await lab.open('');
  const other = new Lab(await context.newPage());
  await other.open('');
  await lab.panel();
  await other.panel();
  expect(other.complaints).toEqual([]);
});

/** What of our words cannot be read to its end, or stands outside of what holds it. */
async function cutOff(page: Page, holder: string): Promise<string[]> {
  return page.locator(holder).evaluate(node => {
    const right = node.getBoundingClientRect().right;
    return [...node.querySelectorAll<HTMLElement>('*')]
      .filter(
        each =>
          each.clientWidth > 0 &&
          !each.matches(
            '.jp-ImageManager-hidden, .jp-ImageManager-cut, .jp-ImageManager-code *, .cm-editor *'
          ) &&
          [...each.childNodes].some(
            child => child.nodeType === Node.TEXT_NODE && child.textContent
          ) &&
          (each.scrollWidth > each.clientWidth + 1 ||
            each.getBoundingClientRect().right > right + 1)
      )
      .map(each => each.outerHTML);
  });
}

test('it speaks Russian, and no word of it is cut off', async ({ lab }) => {
  const { page } = lab;
  await lab.api('GET', 'projects?path=many');
  await lab.speak('ru_RU');
  try {
    await lab.open('many');
    const panel = await lab.panel('Образы');
    await expect(
      panel.getByRole('button', { name: 'Новый образ' })
    ).toBeVisible();
    await expect(panel.getByPlaceholder('Поиск по образам: 500')).toBeVisible();
    await expect(panel).toContainText(/\d+ МБ · \d+ [а-я]+/);
    await expect(
      panel.getByRole('region', { name: 'Активный образ' })
    ).toContainText('Среда сервера');
    await expect(panel.getByText('Активна', { exact: true })).toHaveCount(2);
    await expect(panel).toContainText('без образа');
    await lab.picture('russian-panel');
    expect(await cutOff(page, '#jupyter-image-manager-panel')).toEqual([]);

    await panel.getByRole('button', { name: 'Новый образ' }).click();
    const form = page.getByRole('form', { name: 'Новый образ' });
    await expect(form.getByLabel('Пакеты Python')).toBeVisible();
    await expect(form).toContainText('для проекта');
    for (const width of [1280, 480]) {
      await page.setViewportSize({ width, height: 860 });
      if (width === 480) {
        // Nobody keeps the side bar open beside a form in so narrow a window.
        await lab.command('application:toggle-left-area');
        await expect(panel).toBeHidden();
      }
      await lab.picture(`russian-form-${width}`);
      expect(await cutOff(page, '.jp-ImageManager-form')).toEqual([]);
    }
    // Whole sentences and phrases; what pip, Docker or the server say stays as they say it.
    const words = await form
      .locator('label, legend, button, h1, h2')
      .allInnerTexts();
    expect(words.filter(text => /^[A-Z][a-z]+ [a-z]+/.test(text))).toEqual([]);
  } finally {
    await lab.speak('default');
  }
});
