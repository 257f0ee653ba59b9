import { expect, test } from './lab';

test('an activation restarts the ticked kernel, leaves the busy one, and is undone', async ({
  lab
}) => {
  const { page } = lab;
  await lab.open('churn');
  const project = await lab.api('POST', 'projects', { path: 'churn' });
  const dockerfile = await lab.contents('churn/Dockerfile');
  const extra = `
RUN d=$(python -c 'import site; print(site.getsitepackages()[0])')/extra-1.0.dist-info && mkdir $d && printf 'Metadata-Version: 2.1\\nName: extra\\nVersion: 1.0\\n' > $d/METADATA
`;
  const build = async (name: string, text: string) => {
    const { id, image_id } = await lab.api(
      'POST',
      `projects/${project.id}/builds`,
      { name, dockerfile_text: text }
    );
    await expect
      .poll(async () => (await lab.api('GET', `builds/${id}`)).state, {
        timeout: 120_000
      })
      .toBe('succeeded');
    return image_id;
  };
  const one = await build('one', dockerfile);
  const two = await build('two', dockerfile + extra);
  await lab.api('PUT', `projects/${project.id}/active-image`, {
    image_id: one
  });
  const notebook = await lab.contents('churn/analysis.ipynb');
  for (const [path, source] of [
    ['churn/slow.ipynb', "print('begun'); import time; time.sleep(600)"],
    ['churn/quick.ipynb', "print('done')"]
  ]) {
    await lab.put(path, {
      type: 'notebook',
      format: 'json',
      content: { ...notebook, cells: [{ ...notebook.cells[0], source }] }
    });
    await lab.command('docmanager:open', { path });
    await page.getByRole('tab', { name: path.split('/')[1] }).click();
    await lab.run(0);
    await expect(lab.cell(0).locator('.jp-OutputArea')).toContainText(
      /begun|done/,
      { timeout: 60_000 }
    );
  }
  const panel = await lab.panel();
  const card = panel.getByRole('region', { name: 'Active image' });
  await expect(card).toContainText('2 kernels run in it');

  // What changes is said before; the kernel that runs a cell is not ticked.
  await lab.command('image-manager:activate', { image_id: two });
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('extra');
  const slow = dialog.getByRole('checkbox', { name: 'slow.ipynb' });
  const quick = dialog.getByRole('checkbox', { name: 'quick.ipynb' });
  await expect(quick).toBeChecked();
  await expect(slow).not.toBeChecked();
  await expect(slow).toHaveAccessibleDescription(/what it has computed/);
  await lab.picture('activate');
  await dialog.getByRole('button', { name: 'Activate' }).click();
  const runsIn = async () =>
    Object.fromEntries(
      (await lab.api('GET', 'kernels')).items.map((each: any) => [
        each.notebook.split('/').pop(),
        each.image
      ])
    );
  await expect
    .poll(runsIn, { timeout: 60_000 })
    .toEqual({ 'slow.ipynb': 'one:1', 'quick.ipynb': 'two:1' });
  await expect(card).toContainText('1 still in one:1');

  // The notebook that was left says so.
  await page.getByRole('tab', { name: 'slow.ipynb' }).click();
  await expect(
    page.getByRole('button', { name: 'one:1 two:1 is active' })
  ).toBeVisible();

  // Back, and the kernel that went along may stay.
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(card).toContainText('one:1');
  await expect(dialog).toContainText('quick.ipynb');
  await expect(dialog).not.toContainText('slow.ipynb');
  await dialog.getByRole('button', { name: 'Later' }).click();
  await expect(card).toContainText('1 still in two:1');
});
