import { readFileSync } from 'fs';
import type { Locator } from '@playwright/test';

import { Lab, expect, test } from './lab';

test.describe.configure({ mode: 'serial' });

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const FOLDER = 'lacking';
const CELLS = [
  "import yaml; print(yaml.safe_load('answer: 42'))",
  'import dotenv; print(dotenv.__name__.upper())',
  'import helpers.part',
  'import os.nothing',
  "raise ModuleNotFoundError('No module named \\'x; touch /tmp/<b>\\'')",
  'import no_such_thing_at_all'
];
const DOCKERFILE = `FROM jim-test/python:3.11
RUN useradd --create-home --uid 1000 jupyter
USER jupyter
WORKDIR /home/jupyter
`;

/** Ask Jupyter's own API. */
async function send(
  lab: Lab,
  method: 'get' | 'put' | 'delete',
  route: string,
  data?: unknown
): Promise<string> {
  const response = await lab.page.request[method](
    `${process.env.LAB_URL}/${route}`,
    { data, headers: { Authorization: `token ${process.env.LAB_TOKEN}` } }
  );
  const text = await response.text();
  expect(response.ok(), text).toBe(true);
  return text;
}

async function sessions(lab: Lab): Promise<{ id: string }[]> {
  return JSON.parse(await send(lab, 'get', 'api/sessions'));
}

/** Put a file or folder where the server serves it. */
async function put(lab: Lab, path: string, model: unknown): Promise<void> {
  await send(lab, 'put', `api/contents/${path}`, model);
}

/** Expect that axe finds nothing in a bar. */
async function expectAccessible(lab: Lab): Promise<void> {
  await lab.page.evaluate(AXE);
  const bad = await lab.page.evaluate(async () => {
    const { violations } = await (window as any).axe.run(
      '.jp-ImageManager-missing'
    );
    return violations.map((each: any) => [each.id, each.nodes[0].html]);
  });
  expect(bad).toEqual([]);
}

/** The bar below a cell. */
function bar(lab: Lab, index: number): Locator {
  return lab.cell(index).getByRole('group', { name: /^Missing module/ });
}

async function write(lab: Lab, name: string): Promise<void> {
  await put(lab, `${FOLDER}/${name}`, {
    type: 'notebook',
    format: 'json',
    content: {
      cells: CELLS.map((source, index) => ({
        cell_type: 'code',
        id: `c${index}`,
        source,
        metadata: {},
        outputs: [],
        execution_count: null
      })),
      metadata: {
        kernelspec: { name: 'python3', display_name: 'Python 3 (ipykernel)' }
      },
      nbformat: 4,
      nbformat_minor: 5
    }
  });
}

test('a folder without an image gets a form with the package in it', async ({
  lab
}) => {
  const { page } = lab;
  await lab.open('');
  await put(lab, FOLDER, { type: 'directory' });
  await put(lab, `${FOLDER}/helpers.py`, {
    type: 'file',
    format: 'text',
    content: ''
  });
  await write(lab, 'first.ipynb');
  await lab.open(`${FOLDER}/first.ipynb`);
  await lab.ready();
  // Whatever the server's Python has: the message is what counts.
  await page.evaluate(() => {
    const panel = (window as any).jupyterapp.shell.currentWidget;
    panel.content.widgets[0].model.sharedModel.setSource(
      'raise ModuleNotFoundError("No module named \'cv2\'")'
    );
  });
  await lab.run(0);
  await expect(bar(lab, 0)).toContainText('opencv-python-headless brings cv2.');
  await bar(lab, 0)
    .getByRole('button', { name: 'Make an image with it…' })
    .click();
  const form = page.getByRole('form', { name: 'New image' });
  await expect(form.getByLabel('Python packages')).toHaveValue(
    /^opencv-python-headless\n?$/
  );
  await form.getByRole('button', { name: 'Cancel' }).click();
});

test('a missing module is added to a new version, in which the notebook goes on', async ({
  lab
}) => {
  const { page } = lab;
  await lab.open(FOLDER);
  const project = await lab.api('GET', `projects?path=${FOLDER}`);
  const build = await lab.api('POST', `projects/${project.id}/builds`, {
    name: 'lean',
    dockerfile_text: DOCKERFILE,
    activate: true
  });
  await expect
    .poll(async () => (await lab.api('GET', `builds/${build.id}`)).state, {
      timeout: 120_000
    })
    .toBe('succeeded');
  // The kernel of the first test is another of the project: with it, the bar would ask before a restart.
  for (const { id } of await sessions(lab)) {
    await send(lab, 'delete', `api/sessions/${id}`);
  }
  await write(lab, 'second.ipynb');
  await lab.open(`${FOLDER}/second.ipynb`);

  // What no package brings is not offered; what is named like a command even less.
  for (const index of [2, 3, 4]) {
    await lab.run(index);
    await expect(lab.cell(index).locator('.jp-OutputArea')).toContainText(
      'ModuleNotFoundError'
    );
  }
  await lab.run(0);
  await expect(bar(lab, 0)).toContainText(
    /PyYAML brings yaml\. A new version of lean with it takes about \d+ s; this notebook goes on in it/
  );
  for (const index of [2, 3, 4]) {
    await expect(bar(lab, index)).toHaveCount(0);
  }
  await lab.picture('missing-offer');

  await expectAccessible(lab);
  await lab.command('apputils:change-theme', { theme: 'JupyterLab Dark' });
  await expect(
    page.locator('body[data-jp-theme-light="false"]')
  ).toBeAttached();
  await expect(page.locator('#jupyterlab-splash')).toHaveCount(0);
  await expectAccessible(lab);
  await lab.picture('missing-dark');
  await page.setViewportSize({ width: 480, height: 860 });
  await lab.command('application:toggle-left-area');
  await expect(
    bar(lab, 0).getByRole('button', { name: 'Add it' })
  ).toBeVisible();
  await lab.picture('missing-narrow');
  await page.setViewportSize({ width: 1280, height: 860 });
  await lab.command('application:toggle-left-area');
  await lab.command('apputils:change-theme', { theme: 'JupyterLab Light' });
  await expect(page.locator('body[data-jp-theme-light="true"]')).toBeAttached();
  await expect(page.locator('#jupyterlab-splash')).toHaveCount(0);

  // By keyboard: to the button, and Enter is the button's own.
  await bar(lab, 0).getByRole('button', { name: 'Not now' }).focus();
  await page.keyboard.press('Tab');
  const add = bar(lab, 0).getByRole('button', { name: 'Add it' });
  await expect(add).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(bar(lab, 0)).toContainText('lean:2 with PyYAML is being made.');
  await expect(bar(lab, 0)).toBeFocused();
  await expect(bar(lab, 0).getByRole('status')).toContainText('is being made');
  await expect(bar(lab, 0).getByRole('progressbar')).toBeVisible();
  await expect(
    bar(lab, 0).getByRole('button', { name: 'Cancel' })
  ).toBeVisible();

  // A second one meanwhile makes the version after that; both cells go on in it.
  await lab.run(1);
  await bar(lab, 1)
    .getByRole('button', { name: 'Add it' })
    .click({ timeout: 30_000 });
  await expect(bar(lab, 1)).toContainText(
    /lean:[23] with python-dotenv is being made/
  );
  await lab.picture('missing-making');
  await expect(lab.cell(0).locator('.jp-OutputArea')).toContainText(
    "{'answer': 42}",
    { timeout: 180_000 }
  );
  await expect(lab.cell(1).locator('.jp-OutputArea')).toContainText('DOTENV');
  await expect(bar(lab, 1)).toContainText(/This notebook runs in lean:3 now/);
  await expect(page.locator('.jp-NotebookPanel-toolbar')).toContainText(
    'lean:3'
  );
  await lab.picture('missing-done');
});

test('a package that cannot be had says why, and another one can be named', async ({
  lab
}) => {
  const { page } = lab;
  await lab.open(`${FOLDER}/second.ipynb`);
  await lab.run(5);
  const here = bar(lab, 5);
  await expect(here).toContainText(
    'no-such-thing-at-all may bring no_such_thing_at_all. It has the same name; look it up before you add it.'
  );
  await here.getByRole('button', { name: 'Add it' }).click();
  await expect(here).toContainText('lean:4 was not made.', {
    timeout: 120_000
  });
  await expect(here).toContainText('Nothing else has changed.');
  await expect(here).toContainText('no-such-thing-at-all');
  await lab.picture('missing-failed');
  await here.getByRole('button', { name: 'Another package' }).click();
  const name = here.getByLabel('Package that brings no_such_thing_at_all');
  await expect(name).toBeFocused();
  await name.fill('a b; touch x');
  await expect(here.getByRole('button', { name: 'Take it' })).toBeDisabled();
  await name.fill('');
  await page.keyboard.type('PyYAML');
  await expect(name).toHaveValue('PyYAML');
  await lab.picture('missing-another');
  await page.keyboard.press('Enter');
  await expect(here).toContainText(
    'PyYAML is in lean:3 already, and does not bring no_such_thing_at_all.'
  );
  await expect(here).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(here).toHaveCount(0);
});
