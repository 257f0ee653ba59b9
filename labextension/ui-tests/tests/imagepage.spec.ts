import { readFile } from 'fs/promises';

import { Lab, expect, test } from './lab';

const MORE =
  'RUN pip uninstall -qy ipywidgets && head -c 30000000 /dev/zero > /opt/more';

/** Build a version from a text, and wait until it is ready. */
async function built(
  lab: Lab,
  project: string,
  dockerfile: string
): Promise<any> {
  const build = await lab.api('POST', `projects/${project}/builds`, {
    name: 'geo',
    dockerfile_text: dockerfile
  });
  await expect
    .poll(async () => (await lab.api('GET', `builds/${build.id}`)).state, {
      timeout: 120_000
    })
    .toBe('succeeded');
  return lab.api('GET', `images/${build.image_id}`);
}

/** Take pictures of what is in front: light, dark, and in a narrow window. */
async function pictures(lab: Lab, name: string): Promise<void> {
  const { page } = lab;
  await lab.picture(`image-${name}-light`);
  await lab.theme('JupyterLab Dark');
  await lab.picture(`image-${name}-dark`);
  await page.setViewportSize({ width: 480, height: 860 });
  await lab.picture(`image-${name}-480`);
  await page.setViewportSize({ width: 1280, height: 860 });
  await lab.theme('JupyterLab Light');
}

test('the page of an image answers what is asked of it', async ({ lab }) => {
  const { page } = lab;
  const project = await lab.api('POST', 'projects', { path: 'churn' });
  const text: string = await lab.contents('churn/Dockerfile');
  const first = await built(lab, project.id, text);
  const second = await built(
    lab,
    project.id,
    text.replace('ENV WHERE=', `${MORE}\nENV ELSE=`)
  );
  const imports = 'import os, cv2\nimport pandas as pd\nfrom odd_one import x';
  await lab.put('churn/wants.ipynb', {
    type: 'notebook',
    content: {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {
        kernelspec: { name: 'python3', display_name: 'Python 3' },
        language_info: { name: 'python' },
        image_manager: {
          image: first.spec,
          digest: first.digest || first.engine_image,
          project: project.id
        }
      },
      cells: [
        {
          cell_type: 'code',
          id: 'a',
          source: imports,
          metadata: {},
          outputs: [],
          execution_count: null
        }
      ]
    }
  });
  await lab.open('churn/wants.ipynb');
  const told = page.getByRole('alert').filter({ hasText: 'last ran in geo:1' });
  await expect(told).toContainText(
    /Here it runs in the server environment\. \d+ Python packages differ/
  );
  await told.getByRole('button', { name: 'Compare' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('geo:1 against Server environment');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await lab.command('application:toggle-left-area');
  await expect(lab.cell(0)).toContainText('cv2');
  await lab.command('image-manager:open-image', { image_id: second.id });
  const content = page.locator('.jp-ImageManager-image');
  const tab = async (name: RegExp | string) => {
    await content.getByRole('tab', { name }).click();
    return content.getByRole('tabpanel');
  };

  // Overview.
  let shown = await tab('Overview');
  await expect(shown).toContainText('Will it work here? Yes');
  await expect(shown).toContainText('Made for amd64');
  await expect(shown).toContainText('The engine holds it');
  await expect(shown).toContainText('User jupyter with uid 1000');
  await expect(shown).toContainText(
    /Size .*, of which .* are shared with 1 other image/
  );
  await expect(shown).toContainText(/Deleting it would free \d/);
  await expect(
    shown.getByRole('row', { name: /removed ipywidgets/ })
  ).toBeVisible();
  const layers = shown.getByRole('listbox', { name: 'Layers' });
  await layers.getByRole('option', { selected: true }).focus();
  await page.keyboard.press('Home');
  await expect(shown.locator('.jp-ImageManager-layer')).toContainText(
    'shared with geo:1'
  );
  await pictures(lab, 'overview');
  await shown.getByRole('button', { name: /^and \d+ more that/ }).click();
  await expect(shown).toContainText('A kernel starts');

  // Dockerfile: against the other version, and as a file.
  shown = await tab('Dockerfile');
  await expect(shown.getByRole('region', { name: 'Dockerfile' })).toContainText(
    MORE
  );
  await shown.getByLabel('Changes since').selectOption('geo:1');
  await expect(shown).toContainText('geo:2 against geo:1: 2 added, 1 removed');
  const changes = shown.getByRole('region', { name: 'geo:2 against geo:1' });
  await expect(
    changes.getByRole('row', { name: `added ${MORE}` })
  ).toBeVisible();
  await expect(
    changes.getByRole('row', { name: /removed ENV WHERE/ })
  ).toBeVisible();
  await pictures(lab, 'dockerfile');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    shown.getByRole('button', { name: 'Export as Dockerfile' }).click()
  ]);
  expect(file.suggestedFilename()).toBe('geo-2.dockerfile');
  expect(await readFile(await file.path(), 'utf8')).toContain(MORE);

  // Log.
  shown = await tab('Log');
  await expect(shown.getByRole('log')).toContainText('geo:2 is ready');

  // Packages: searched, against the server environment, and for the notebook.
  shown = await tab(/^Packages \d+/);
  await shown.getByRole('searchbox').fill('pandas');
  await expect(shown.getByRole('row', { name: /^pandas/ })).toBeVisible();
  await shown.getByRole('searchbox').fill('');
  const other = shown.getByLabel('Compare with');
  await other.selectOption('Server environment');
  await expect(shown).toContainText('geo:2 against Server environment');
  await pictures(lab, 'packages');
  await shown.getByRole('button', { name: /^and \d+ more$/ }).click();
  await expect(
    shown.getByRole('row', { name: /removed jupyterlab \d/ })
  ).toBeVisible();
  await other.selectOption('What wants.ipynb imports');
  await expect(shown).toContainText(
    'geo:2 lacks 2 packages that wants.ipynb imports'
  );
  const needs = shown.getByRole('region', { name: 'What wants.ipynb imports' });
  await expect(needs.getByRole('row', { name: /pandas/ })).toContainText('✓');
  await expect(needs).not.toContainText('os');
  await expect(
    needs.getByLabel('opencv-python-headless', { exact: true })
  ).toBeChecked();
  await expect(needs.getByLabel(/^odd-one/)).not.toBeChecked();
  await expect(
    needs.getByRole('button', {
      name: 'Build a new version with this package'
    })
  ).toBeEnabled();
  await pictures(lab, 'imports');

  // Access and usage.
  shown = await tab('Access');
  await expect(shown).toContainText('the project churn');
  await expect(shown).toContainText('It is published nowhere');
  await pictures(lab, 'access');
  shown = await tab('Usage');
  await expect(shown).toContainText(/On the disk\d+ MB/);
  await expect(shown).toContainText('Nobody: no project, no kernel');
  await expect(shown.getByRole('row', { name: /^Build ready/ })).toBeVisible();
  await expect(
    shown.getByRole('row', { name: /shared with geo:1/ }).first()
  ).toBeVisible();
  await expect(
    shown.getByRole('row', { name: `${MORE} only in this image 30 MB` })
  ).toBeVisible();
  await pictures(lab, 'usage');

  // Another version is one click away.
  shown = await tab('Overview');
  await shown.getByRole('button', { name: 'Show geo:1' }).click();
  await expect(
    page.getByRole('heading', { level: 1, name: first.spec })
  ).toBeVisible();
});
