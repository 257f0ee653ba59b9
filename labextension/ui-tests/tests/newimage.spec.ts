import { readFileSync } from 'fs';
import type { Page } from '@playwright/test';
import { expect, test } from './lab';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const FORM = '.jp-ImageManager-form';

/** Expect that axe finds nothing serious or critical in the form. */
async function expectAccessible(page: Page): Promise<void> {
  const bad = await page.evaluate(async within => {
    const { violations } = await (window as any).axe.run(within);
    return violations
      .filter((each: any) => ['serious', 'critical'].includes(each.impact))
      .flatMap((each: any) =>
        each.nodes.map(
          (node: any) => `${each.id}: ${node.html}\n${node.failureSummary}`
        )
      );
  }, FORM);
  expect(bad).toEqual([]);
}

test('a new image is described by form and text, and nothing is lost', async ({
  lab
}) => {
  const { page } = lab;
  await lab.put('describe', { type: 'directory' });
  const write = (name: string, content: string) =>
    lab.put(`describe/${name}`, { type: 'file', format: 'text', content });
  await write('big.bin', 'x'.repeat(200_000));
  await write(
    'environment.yml',
    'name: described\ndependencies: [python=3.10, numpy=1.26, cudatoolkit, pip: [six]]\n'
  );
  await lab.api('POST', 'projects', { path: 'describe' });
  await lab.open('describe');
  await page.addStyleTag({ content: 'html, body { height: 100%; }' });
  await page.evaluate(AXE);
  const panel = await lab.panel();
  await expect(panel.getByRole('heading', { level: 2 }).first()).toContainText(
    'describe'
  );

  // What conda asks for becomes the form; what pip has no word for is named.
  await lab.command('image-manager:new-image', {
    environment_file: 'environment.yml'
  });
  const form = page.getByRole('form', { name: 'New image' });
  await expect(form.getByLabel('Name')).toHaveValue('described');
  await expect(form.getByRole('radio', { name: '3.10' })).toBeChecked();
  await expect(form.getByLabel('Python packages')).toHaveValue(
    'numpy==1.26.*\nsix\n'
  );
  await expect(form).toContainText('cudatoolkit');
  const dockerfile = form.getByRole('region', { name: 'Dockerfile' });
  await expect(dockerfile).toContainText('numpy==1.26.*');
  await expectAccessible(page);
  await lab.picture('new-image-template');

  // The form's Dockerfile is taken over as text, and a remark mended.
  await form.getByRole('button', { name: 'Edit as text' }).click();
  const text = dockerfile.getByRole('textbox', { name: 'Dockerfile' });
  await expect(text).toContainText('numpy==1.26.*');
  await text.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('WORKDIR relative\n');
  const remarks = form.getByRole('list', {
    name: 'Remarks on the Dockerfile'
  });
  await expect(remarks).toContainText('A relative WORKDIR');
  await lab.picture('new-image-text');
  await expectAccessible(page);
  // Escape leaves the text, not the page; Tab goes on from there.
  await page.keyboard.press('Escape');
  await expect(dockerfile).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await expect(dockerfile).not.toBeFocused();
  await expect(text).not.toBeFocused();
  await remarks.getByRole('button', { name: /^Mend line/ }).click();
  await expect(text).toContainText('WORKDIR /relative');
  await expect(remarks).not.toContainText('A relative WORKDIR');

  // What the form cannot say is named before it is given up.
  await form.getByRole('radio', { name: 'Template' }).click();
  const question = form.getByRole('alert');
  await expect(question).toContainText('WORKDIR /relative');
  await question.getByRole('button', { name: 'Keep the text' }).click();
  await expect(question).toHaveCount(0);

  // A big file is left out by .dockerignore, and sent again.
  const status = form.getByRole('status');
  await form.getByRole('button', { name: 'Ignore this: big.bin' }).click();
  await expect(status.filter({ hasText: 'big.bin is left out' })).toBeVisible();
  const dropped = form.getByText('file or folder is left out by .dockerignore');
  await dropped.click();
  await expect(
    form.getByRole('listitem').filter({ hasText: /^big\.bin$/ })
  ).toBeVisible();
  const prospects = form.getByRole('list', { name: 'Will it work?' });
  await expect(prospects).toContainText('Python fits');
  await expect(prospects).toContainText('versions are not pinned');
  await dropped.scrollIntoViewIfNeeded();
  await lab.picture('new-image-sent');
  await expectAccessible(page);
  await form.getByRole('button', { name: 'Undo: send big.bin again' }).click();
  await expect(
    form.getByRole('button', { name: 'Ignore this: big.bin' })
  ).toBeVisible();

  // What was typed outlives the page.
  await page.reload();
  await page.waitForFunction(() => (window as any).jupyterapp?.restored);
  await page.evaluate(() => (window as any).jupyterapp.restored);
  await page.addStyleTag({ content: 'html, body { height: 100%; }' });
  await page.evaluate(AXE);
  await lab.panel();
  await panel.getByRole('button', { name: 'New image' }).click();
  await expect(form).toContainText('Continued from your draft');
  await expect(text).toContainText('WORKDIR /relative');

  // Form and text are one thing: what a template says goes back without loss.
  await text.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.press('Backspace');
  await expect(text).not.toContainText('/relative');
  await form.getByRole('radio', { name: 'Template' }).click();
  await expect(form.getByLabel('Python packages')).toHaveValue(
    'numpy==1.26.*\nsix\n'
  );
  await form.getByLabel('Find a version').fill('six');
  await page.keyboard.press('Enter');
  await form.getByLabel('Version of six').selectOption('1.16.0');
  await form.getByRole('button', { name: 'Add six==1.16.0' }).click();
  await expect(form.getByLabel('Python packages')).toHaveValue(
    'numpy==1.26.*\nsix==1.16.0\n'
  );
  await form.getByLabel('Variable 1', { exact: true }).fill('GREETING');
  await form.getByLabel('Value of variable 1').fill('hello "you"');
  await form.getByLabel('Files of the project').fill('environment.yml');
  await page.keyboard.press('Enter');
  await expect(dockerfile).toContainText('ENV GREETING="hello \\"you\\""');
  await expect(dockerfile).toContainText('"/opt/project/environment.yml"');

  // Dark, and in a narrow window.
  await page.setViewportSize({ width: 480, height: 860 });
  await page.evaluate(() =>
    (window as any).jupyterapp.commands.execute('apputils:change-theme', {
      theme: 'JupyterLab Dark'
    })
  );
  await expect(
    page.locator('body[data-jp-theme-light="false"]')
  ).toBeAttached();
  await expect(page.locator('#jupyterlab-splash')).toHaveCount(0);
  await lab.command('application:toggle-left-area');
  await expect(panel).toBeHidden();
  await expectAccessible(page);
  expect(
    await form.evaluate(node => node.scrollWidth <= node.clientWidth)
  ).toBe(true);
  await lab.picture('new-image-narrow-dark');
  await form.getByRole('button', { name: 'Edit as text' }).click();
  await expect(text).toBeVisible();
  await expectAccessible(page);

  // Start over forgets the draft.
  await form.getByRole('button', { name: 'Start over' }).click();
  await expect(form.getByLabel('Variable 2', { exact: true })).toHaveCount(0);
  await expect(form).not.toContainText('Continued from your draft');
  await page.evaluate(() =>
    (window as any).jupyterapp.commands.execute('apputils:change-theme', {
      theme: 'JupyterLab Light'
    })
  );
});

test('a new image begins with another image, or with an archive', async ({
  lab
}) => {
  const { page } = lab;
  await lab.put('begin', { type: 'directory' });
  await lab.put('begin/image.tar', {
    type: 'file',
    format: 'text',
    content: 'no archive'
  });
  await lab.api('POST', 'projects', { path: 'begin' });
  await lab.open('begin');
  await page.addStyleTag({ content: 'html, body { height: 100%; }' });
  await page.evaluate(AXE);
  const panel = await lab.panel();
  await panel.getByRole('button', { name: 'Build the first image' }).click();
  const form = page.getByRole('form', { name: 'New image' });
  const build = form.getByRole('button', { name: 'Build and activate' });

  // An image elsewhere; what the server refuses is said at the field.
  await form.getByRole('radio', { name: 'Existing image' }).click();
  await expect(build).toBeDisabled();
  await form.getByLabel('Image', { exact: true }).fill('not a reference');
  await build.click();
  await expect(form.getByRole('alert')).toContainText('not a reference');
  await expectAccessible(page);
  await lab.picture('new-image-import-refused');

  // Where it is kept: a registry only where there is one, and else why not.
  await expect(
    form.getByRole('radio', { name: 'On this machine' })
  ).toBeChecked();
  await expect(
    form.getByRole('radio', { name: 'In the registry' })
  ).toBeDisabled();
  await expect(form.getByRole('group', { name: 'Keep it' })).toContainText(
    'must set a registry'
  );

  // An archive, chosen among the files of the project.
  await form.getByRole('radio', { name: 'Archive' }).click();
  await form.getByRole('button', { name: 'Choose…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('image.tar').click();
  await lab.picture('new-image-archive-dialog');
  await dialog.getByRole('button', { name: 'Select' }).click();
  await expect(form.getByLabel('Archive', { exact: true }).last()).toHaveValue(
    'image.tar'
  );
  await build.click();
  await expect(form.getByRole('alert')).toContainText(
    'cannot be read as an archive'
  );

  // What was typed outlives the page; then it is taken in.
  await form.getByRole('radio', { name: 'Existing image' }).click();
  await form.getByLabel('Image', { exact: true }).fill('jim-test/debian:12');
  await page.reload();
  await page.waitForFunction(() => (window as any).jupyterapp?.restored);
  await page.evaluate(() => (window as any).jupyterapp.restored);
  await lab.panel();
  await panel.getByRole('button', { name: 'New image' }).click();
  await expect(form.getByLabel('Image', { exact: true })).toHaveValue(
    'jim-test/debian:12'
  );
  await build.click();
  await expect(form).toHaveCount(0);
  await panel
    .getByRole('button', { name: 'Cancel the build of begin:1' })
    .click();
  await expect(panel.getByRole('row')).toContainText('Cancelled');

  // It is begun with again, with packages beside what it has.
  await panel.getByRole('button', { name: 'New image' }).click();
  await form.getByRole('radio', { name: 'A copy' }).click();
  await expect(form.getByLabel('Image of the project')).toHaveValue(/./);
  await form.getByLabel('Python packages to add').fill('six');
  await expect(form.getByRole('region', { name: 'Dockerfile' })).toContainText(
    'jim-test/debian:12'
  );
  await lab.picture('new-image-duplicate');
  await form.getByRole('button', { name: 'Change the recipe' }).click();
  await expect(form.getByRole('radio', { name: 'Dockerfile' })).toBeChecked();
  await expect(form.getByRole('textbox', { name: 'Dockerfile' })).toContainText(
    'jim-test/debian:12'
  );
});
