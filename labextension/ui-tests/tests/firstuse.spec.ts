import type { Locator } from '@playwright/test';

import { expect, test } from './lab';
import type { Lab } from './lab';

/** Not in the server's environment, small, and named as its module. */
const PACKAGE = 'humanize';
const CODE = `import ${PACKAGE}, sys; print(${PACKAGE}.intword(10**6), sys.prefix)`;

/**
 * What a person does and waits for.
 */
class Person {
  clicks = 0;
  keys = 0;
  waited = 0;

  constructor(readonly lab: Lab) {}

  async click(what: Locator, times: 1 | 2 = 1): Promise<void> {
    await expect(what).toBeVisible();
    await (times === 1 ? what.click() : what.dblclick());
    this.clicks += times;
  }

  async press(key: string): Promise<void> {
    await this.lab.page.keyboard.press(key);
    this.keys += 1;
  }

  async type(text: string): Promise<void> {
    await this.lab.page.keyboard.type(text);
  }

  /** Wait with nothing to do but look. */
  async wait(until: () => Promise<void>): Promise<void> {
    const began = Date.now();
    await until();
    this.waited += (Date.now() - began) / 1000;
  }

  report(what: string): void {
    console.log(
      `${what}: ${this.clicks} clicks, ${this.keys} keys, ${this.waited.toFixed(0)} s waited`
    );
  }
}

test('from a new folder to a result in an image, by mouse', async ({
  lab,
  page
}) => {
  const person = new Person(lab);
  await lab.open('');
  await person.click(page.getByRole('button', { name: 'New Folder' }));
  const name = page.locator('.jp-DirListing-editor');
  await name.fill('first-use');
  await name.press('Enter');
  await person.click(page.getByRole('listitem', { name: /first-use/ }), 2);
  await person.click(
    page
      .locator('.jp-LauncherCard[data-category="Notebook"]')
      .filter({ hasText: 'Python 3' })
  );
  await lab.ready();
  await lab.cell(0).locator('.jp-InputArea-editor').click();
  await person.type(CODE);

  const own = new Person(lab);
  await own.click(page.getByRole('button', { name: /Run this cell/ }));
  const bar = lab.cell(0).getByRole('group', { name: /^Missing module/ });
  await own.wait(async () => {
    await expect(bar).toBeVisible();
  });
  await own.click(bar.getByRole('button', { name: /Make an image/ }));
  const form = page.getByRole('form', { name: 'New image' });
  await expect(form.getByLabel('Python packages')).toHaveValue(/humanize/);
  await own.click(form.getByRole('button', { name: 'Build and activate' }));
  const told = page
    .locator('.Toastify__toast')
    .filter({ hasText: 'is ready and active' });
  await own.wait(() => expect(told).toBeVisible({ timeout: 180_000 }));
  await lab.picture('first-4');
  await own.click(page.getByRole('tab', { name: /Untitled.ipynb/ }));
  await expect(bar).toContainText('first-use:1');
  await lab.picture('first-5');
  await own.click(bar.getByRole('button', { name: 'Use it here' }));
  await lab.picture('first-6');
  await own.wait(() =>
    expect(lab.cell(0).locator('.jp-OutputArea')).toContainText('1.0 million')
  );
  await expect(
    page.getByRole('button', { name: /first-use:1/ }).first()
  ).toBeVisible();
  await lab.picture('first-7');
  own.report('From the failing cell to its result in an image');
  person.report('Before it');
});

/** Press a key until something has the focus. */
async function until(
  person: Person,
  key: string,
  what: Locator,
  most = 40
): Promise<void> {
  for (let pressed = 0; pressed < most; pressed++) {
    if (await what.evaluate(node => node === document.activeElement)) {
      return;
    }
    await person.press(key);
  }
  await expect(what).toBeFocused();
}

test('from a failing cell to a result in an image, by keyboard alone', async ({
  lab,
  page
}) => {
  await lab.open();
  await lab.put('by-keys', { type: 'directory' });
  await lab.put('by-keys/keys.ipynb', {
    type: 'notebook',
    format: 'json',
    content: {
      cells: [
        {
          cell_type: 'code',
          id: 'c0',
          source: CODE,
          metadata: {},
          outputs: [],
          execution_count: null
        }
      ],
      metadata: {
        kernelspec: { name: 'python3', display_name: 'Python 3 (ipykernel)' }
      },
      nbformat: 4,
      nbformat_minor: 5
    }
  });
  await lab.open('by-keys/keys.ipynb');
  await lab.ready();
  await expect(page.locator('.jp-Notebook')).toBeVisible();
  await page.evaluate(() =>
    (window as any).jupyterapp.shell.currentWidget.activate()
  );
  const person = new Person(lab);
  await person.press('Control+Enter');
  const bar = lab.cell(0).getByRole('group', { name: /^Missing module/ });
  await person.wait(() => expect(bar).toBeVisible());
  await until(
    person,
    'Tab',
    bar.getByRole('button', { name: /Make an image/ })
  );
  await person.press('Enter');
  const form = page.getByRole('form', { name: 'New image' });
  await expect(form.getByLabel('Name', { exact: true })).toBeFocused();
  await expect(form.getByRole('button', { name: /^Build/ })).toBeEnabled();
  await expect(form).toMatchAriaSnapshot(`
    - form "New image":
      - heading "New image" [level=1]
      - button "Cancel"
      - button "Build and activate"
      - textbox "Name": by-keys
      - group "Start from":
        - radio "Template" [checked]
        - radio "Dockerfile"
      - group "Python":
        - radio "3.11" [checked]
      - textbox "Python packages": humanize
      - checkbox "Activate it when it is ready" [checked]
      - heading "Dockerfile" [level=2]
      - region "Dockerfile"
      - list "Remarks on the Dockerfile":
        - listitem: /Hint. humanize without an exact version/
      - heading "What is sent" [level=2]
  `);
  await person.press('Enter');
  await expect(form).toHaveCount(0);
  const status = page.getByRole('button', { name: 'by-keys:1', exact: true });
  await person.wait(() =>
    expect(status.first()).toBeVisible({ timeout: 180_000 })
  );
  await person.press('Control+Shift+BracketLeft');
  await expect(bar).toContainText('by-keys:1');
  await until(person, 'Tab', bar.getByRole('button', { name: 'Use it here' }));
  await person.press('Enter');
  await person.wait(() =>
    expect(lab.cell(0).locator('.jp-OutputArea')).toContainText('1.0 million', {
      timeout: 60_000
    })
  );
  person.report('The same by keyboard');

  // What a screen reader is told of the other screens, each reached by keyboard.
  await expect(bar).toContainText('runs in by-keys:1');
  await person.press('Escape');
  await person.press('Control+Alt+i');
  const panel = page.getByRole('region', { name: 'Images', exact: true });
  await expect(panel).toMatchAriaSnapshot(`
    - region "Images":
      - heading "by-keys" [level=2]
      - button "New image"
      - button "More about the project by-keys"
      - region "Active image"
      - region "Project images":
        - heading "Project images 1" [level=3]
        - treegrid "Images of this project":
          - row /keys:1/ [level=1]
      - region "System images":
        - heading /System images/ [level=3]
  `);
  await until(person, 'Tab', panel.getByRole('row').first());
  await person.press('Enter');
  const shown = page.locator('.jp-ImageManager-page:visible');
  await expect(shown).toMatchAriaSnapshot(`
    - heading "by-keys:1" [level=1]
    - tablist "About this image":
      - tab "Overview" [selected]
      - tab "Dockerfile"
      - tab "Log"
      - tab /Packages/
    - tabpanel "Overview":
      - heading /Will it work here/ [level=2]
      - heading /Size/ [level=2]
  `);
  await person.press('Control+Alt+i');
  await until(
    person,
    'Tab',
    panel.getByRole('button', { name: 'Activate the server environment' })
  );
  await person.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toMatchAriaSnapshot(`
    - dialog:
      - text: Activate Server environment in by-keys?
      - region "Running kernel":
        - heading "Running kernel" [level=3]
        - paragraph: /It keeps what it runs in until it restarts/
        - list:
          - listitem:
            - checkbox /keys.ipynb by-keys:1/ [checked]
      - button "Cancel"
      - button "Activate"
  `);
  await person.press('Escape');
  await expect(dialog).toHaveCount(0);
});
