import type { Locator, Page } from '@playwright/test';

import { expect, test } from './lab';

/** As tests/browser/hostile.py has put it wherever text comes from elsewhere. */
const MARKUP = '<img src=x onerror=window.struck=1>';
const FOLDER = `hostile ${MARKUP}`;

/** That nothing of it has become more than text, so far. */
async function expectHarmless(page: Page): Promise<void> {
  const found = await page.evaluate(() => ({
    struck: (window as any).struck,
    images: document.querySelectorAll('img[src="x"]').length,
    scripts: [...document.scripts].filter(
      each => !each.type.includes('json') && each.text.includes('struck')
    ).length,
    links: document.querySelectorAll('a[href^="javascript:"]').length,
    title: document.title.includes('another title')
  }));
  expect(found).toEqual({
    struck: undefined,
    images: 0,
    scripts: 0,
    links: 0,
    title: false
  });
}

test('what comes from elsewhere is shown as text, wherever it stands', async ({
  lab,
  page
}) => {
  // A page of JupyterLab itself shows what a folder is called too, and is not ours to mend.
  await lab.open(encodeURIComponent(FOLDER));
  const panel = await lab.panel();
  const says = (place: Locator, text = MARKUP) =>
    expect(place.getByText(text).first()).toBeVisible();

  // Panel: names, descriptions, files of the folder.
  await says(panel.getByRole('heading', { level: 2 }), FOLDER);
  await lab.picture('hostile-panel');
  await expectHarmless(page);

  // Page of an image, each tab.
  await panel.getByRole('row', { name: /lacking/ }).dblclick();
  const shown = page.locator('.jp-ImageManager-page:visible');
  await says(shown.getByRole('tabpanel'));
  await lab.picture('hostile-overview');
  for (const name of ['Dockerfile', 'Log', 'Packages']) {
    await shown.getByRole('tab', { name }).click();
    await says(shown.getByRole('tabpanel'));
    await lab.picture(`hostile-${name.toLowerCase()}`);
    await expectHarmless(page);
  }

  // Log of a failed build: decisive lines, and what a terminal would obey.
  await panel.getByRole('row', { name: /broken/ }).dblclick();
  await expect(shown.getByRole('heading', { name: /broken/ })).toBeVisible();
  await shown.getByRole('tab', { name: 'Log' }).click();
  const log = shown.getByRole('tabpanel');
  await says(log, '<script>window.struck=1</script>');
  await says(log, 'a link');
  await expect(log).not.toContainText('\u001b');
  await lab.picture('hostile-failed');
  await expectHarmless(page);

  // Page of a new image: files, the Dockerfile, remarks on it.
  await lab.command('image-manager:new-image');
  const form = page.getByRole('form', { name: 'New image' });
  await says(form.getByRole('list', { name: /Remarks/ }));
  await says(form.getByRole('table').last());
  await lab.picture('hostile-new-image');
  await expectHarmless(page);

  // A kernel of a notebook with such a name, in the question before an activation.
  const path = `${FOLDER}/${MARKUP}.ipynb`;
  await page.evaluate(async notebook => {
    await (window as any).jupyterapp.serviceManager.sessions.startNew({
      name: notebook,
      path: notebook,
      type: 'notebook',
      kernel: { name: 'python3' }
    });
  }, path);
  await lab.command('image-manager:refresh');
  const good = panel.getByRole('row', { name: /good/ });
  await good.getByRole('button', { name: /Activate/ }).click();
  const dialog = page.getByRole('dialog');
  await says(dialog);
  await lab.picture('hostile-activation');
  await expectHarmless(page);

  // The notification of what was done; the kernel stays where it is.
  await dialog.getByRole('checkbox').uncheck();
  await dialog.getByRole('button', { name: 'Activate' }).click();
  await says(page.locator('.Toastify__toast'));
  await lab.picture('hostile-notification');
  await expectHarmless(page);
});
