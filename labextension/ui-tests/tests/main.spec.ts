import { Lab, expect, test } from './lab';

test.describe.configure({ mode: 'serial' });

test('a project gets an image, and its notebook runs in it', async ({
  lab,
  context
}) => {
  const { page } = lab;
  await lab.open('churn/analysis.ipynb');
  await lab.run(0);
  await expect(lab.cell(0).locator('.jp-OutputArea')).toContainText(
    'from the server'
  );

  // Make the folder a project.
  const panel = await lab.panel();
  await expect(panel).toContainText(
    'This folder has no environment of its own'
  );
  await panel.getByRole('button', { name: 'Make “churn” a project' }).click();
  await expect(panel.getByRole('heading', { name: 'churn' })).toBeVisible();

  // Describe and build an image from its Dockerfile.
  await panel.getByRole('button', { name: 'Build the first image' }).click();
  const form = page.getByRole('form', { name: 'New image' });
  await expect(form.getByRole('region', { name: 'Dockerfile' })).toContainText(
    'the marker of the build'
  );
  await expect(form.getByLabel('Name')).toHaveValue('churn');
  await form.getByLabel('Activate it when it is ready').uncheck();
  await form.getByRole('button', { name: 'Build', exact: true }).click();

  // Follow its log to the end.
  const log = page.getByRole('log', { name: 'Log' });
  await expect(log).toContainText('the marker of the build', {
    timeout: 120_000
  });
  await expect(page.locator('.jp-ImageManager-logTitle')).toContainText(
    'Ready',
    {
      timeout: 240_000
    }
  );
  await page
    .getByRole('searchbox', { name: 'Search in the log' })
    .fill('MARKER');
  await expect(page.locator('.jp-ImageManager-logBar')).toContainText('1 of');
  await lab.picture('log-ready');

  // Activate it; the kernel that runs elsewhere is restarted after asking.
  await page
    .locator('.jp-ImageManager-logHeader')
    .getByRole('button', { name: 'Activate' })
    .click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('churn/analysis.ipynb');
  await dialog.getByRole('button', { name: 'Activate', exact: true }).click();
  const card = panel.getByRole('region', { name: 'Active image' });
  await expect(card).toContainText('churn:1');
  await expect(card).toContainText('1 kernel runs in it', { timeout: 60_000 });

  // The notebook's cells run in the image, and the notebook says and remembers so.
  await page.getByRole('tab', { name: 'analysis.ipynb' }).click();
  await expect(page.locator('.jp-NotebookPanel-toolbar')).toContainText(
    'churn:1'
  );
  await lab.run(0);
  await expect(lab.cell(0).locator('.jp-OutputArea')).toContainText(
    'from the image'
  );
  await page.keyboard.press('Control+s');
  await expect
    .poll(
      async () =>
        // No content while the server is just writing the file.
        (await lab.contents('churn/analysis.ipynb'))?.metadata.image_manager
    )
    .toMatchObject({ image: 'churn:1' });
  await lab.picture('notebook');

  // A second tab follows by itself.
  const other = new Lab(await context.newPage());
  await other.open('churn');
  const otherPanel = await other.panel();
  const otherCard = otherPanel.getByRole('region', { name: 'Active image' });
  await expect(otherCard).toContainText('churn:1');

  // Back to the server environment.
  await panel
    .getByRole('button', { name: 'Activate the server environment' })
    .click();
  await expect(dialog).toContainText('Server environment');
  await dialog.getByRole('button', { name: 'Activate', exact: true }).click();
  await expect(card).toContainText('Server environment');
  await expect(otherCard).toContainText('Server environment');
  await expect(card).toContainText('1 kernel runs in it', { timeout: 60_000 });
  await lab.run(0);
  await expect(lab.cell(0).locator('.jp-OutputArea')).toContainText(
    'from the server'
  );
});

test('a scientific notebook draws its figure in the cell', async ({ lab }) => {
  const { page } = lab;
  await lab.open('churn/churn.ipynb');
  const project = await lab.api('GET', 'projects?path=churn');
  const { items } = await lab.api('GET', `projects/${project.id}/images`);
  await lab.api('PUT', `projects/${project.id}/active-image`, {
    image_id: items[0].id
  });
  await lab.ready();
  await lab.command('notebook:restart-run-all');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Confirm Kernel Restart' })
    .click();

  // The data file is read, the model fitted, the figure drawn.
  await expect(lab.cell(0).locator('table')).toContainText('premium', {
    timeout: 90_000
  });
  await expect(lab.cell(1).locator('.jp-OutputArea')).toContainText(
    'of 600 customers'
  );
  const figure = lab.cell(2).locator('.jp-OutputArea img');
  await expect(figure).toBeVisible({ timeout: 60_000 });
  await expect(figure).toHaveAttribute('src', /^data:image\/png;base64,/);
  expect(
    await figure.evaluate((image: HTMLImageElement) => image.naturalWidth)
  ).toBeGreaterThan(300);
  await lab.picture('figure');

  // And its result lies beside it.
  const written = await lab.contents('churn/results/at_risk.csv');
  expect(written.trim().split('\n')).toHaveLength(21);
});

test('a death by memory is explained in the cell', async ({ lab }) => {
  const { page } = lab;
  // JupyterLab says it too, where the death is seen before the restart is.
  const said = page.getByRole('dialog', { name: /Kernel Restarting/ });
  await page.addLocatorHandler(said, () =>
    said.getByRole('button', { name: /ok/i }).click()
  );
  await lab.open('churn/analysis.ipynb');
  const project = await lab.api('GET', 'projects?path=churn');
  const { items } = await lab.api('GET', `projects/${project.id}/images`);
  await lab.api('PATCH', `projects/${project.id}`, {
    run_settings: { memory: 400 * 2 ** 20 }
  });
  await lab.api('PUT', `projects/${project.id}/active-image`, {
    image_id: items[0].id
  });
  await lab.ready();
  await lab.command('notebook:restart-kernel');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Confirm Kernel Restart' })
    .click();
  await expect(page.locator('.jp-NotebookPanel-toolbar')).toContainText(
    'churn:1',
    {
      timeout: 60_000
    }
  );
  await lab.run(0);
  await expect(lab.cell(0).locator('.jp-OutputArea')).toContainText(
    'from the image'
  );
  await lab.run(2);
  await expect(lab.cell(2).locator('.jp-OutputArea')).toContainText(/memory/i, {
    timeout: 90_000
  });
  await expect(lab.cell(2).locator('.jp-OutputArea')).not.toContainText(
    'survived'
  );
  const offer = lab.cell(2).getByRole('group', { name: 'Out of memory' });
  await expect(offer).toContainText('more than the 400 MiB');
  await lab.picture('death');

  // More of it is a click away, and holds from the next start on.
  await offer.getByRole('button', { name: 'Allow 1 GiB' }).click();
  await expect(offer).toContainText('may use 1 GiB from their next start');
  const { run_settings } = await lab.api('GET', `projects/${project.id}`);
  expect(run_settings.memory).toBe(2 ** 30);
  await expect(
    offer.getByRole('button', { name: 'Restart the kernel now' })
  ).toBeEnabled();

  // Or any other value, where the memory has the focus.
  await lab.command('image-manager:run-settings', {
    project_id: project.id,
    field: 'memory'
  });
  await expect(page.getByLabel('Memory', { exact: true })).toBeFocused();
  await page.keyboard.press('Escape');
});

test('a build that fails says why, first', async ({ lab }) => {
  const { page } = lab;
  await lab.open('churn');
  const panel = await lab.panel();
  await panel.getByRole('button', { name: 'New image' }).click();
  const form = page.getByRole('form', { name: 'New image' });
  await form.getByLabel('Name').fill('broken');
  await form.getByLabel('File of the project').fill('failing.dockerfile');
  await expect(form.getByRole('region', { name: 'Dockerfile' })).toContainText(
    'exit 3'
  );
  await form.getByRole('button', { name: 'Build and activate' }).click();
  const failure = page.getByRole('alert').filter({ hasText: 'failed' });
  await expect(failure).toContainText('Step 3 of 3 failed', {
    timeout: 120_000
  });
  await expect(failure).toContainText('there is no such thing');
  await expect(failure).toContainText('churn:1 is still active');
  await lab.picture('log-failed');
  const row = panel.getByRole('row').filter({ hasText: 'broken:1' });
  await expect(row).toContainText('Failed');

  // It can be deleted, after saying what that does.
  await row.getByRole('button', { name: 'More about broken:1' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Delete broken:1' })
    .click();
  await expect(row).toHaveCount(0);
});
