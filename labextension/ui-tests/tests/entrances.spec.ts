import { expect, test } from './lab';

test('an image begins at a file or a folder', async ({ lab, page }) => {
  await lab.put('begin', { type: 'directory' });
  await lab.put('begin/inner', { type: 'directory' });
  await lab.put('begin/requirements.txt', {
    type: 'file',
    format: 'text',
    content: 'six==1.16.0\n'
  });
  await lab.put('begin/notes.txt', {
    type: 'file',
    format: 'text',
    content: 'nothing\n'
  });
  await lab.open('begin');
  const item = (name: string) =>
    page.locator('.jp-DirListing-item', { hasText: name });
  const entry = (name: string) => page.getByRole('menuitem', { name });

  // Nothing can be built from notes.
  await item('notes.txt').click({ button: 'right' });
  await expect(entry('Rename')).toBeVisible();
  await expect(entry('Build an Image from It…')).toBeHidden();
  await page.keyboard.press('Escape');

  await item('requirements.txt').click({ button: 'right' });
  await entry('Build an Image from It…').click();
  await expect(
    page.getByRole('heading', { level: 1, name: 'New image' })
  ).toBeVisible();
  await expect(page.getByText('for the project begin')).toBeVisible();
  await expect(page.getByLabel('Python packages')).toHaveValue(/six==1\.16\.0/);

  await item('inner').click({ button: 'right' });
  await entry('Make It a Project').click();
  // It lies in a project, which its notebooks would leave: so it is asked.
  await page.getByRole('button', { name: 'Make it a project' }).click();
  await expect
    .poll(async () =>
      (await lab.api('GET', 'projects')).items.map((each: any) => each.name)
    )
    .toContain('inner');

  await lab.command('launcher:create');
  await expect(
    page.locator('.jp-LauncherCard', { hasText: 'New Image' }).last()
  ).toBeVisible();
  expect(lab.complaints).toEqual([]);
});
