import { Lab, expect, test } from './lab';

async function pictures(lab: Lab, name: string): Promise<void> {
  const { page } = lab;
  await lab.picture(`storage-${name}-light`);
  await lab.theme('JupyterLab Dark');
  await lab.picture(`storage-${name}-dark`);
  await page.setViewportSize({ width: 480, height: 860 });
  await lab.picture(`storage-${name}-480`);
  await page.setViewportSize({ width: 1280, height: 860 });
  await lab.theme('JupyterLab Light');
}

test('an image goes to the registry, is optimized, loses its original, and then its copy', async ({
  lab
}) => {
  const { page } = lab;
  const project = await lab.api('POST', 'projects', { path: 'churn' });
  const [community] = (await lab.api('GET', 'communities')).items;
  await lab.api('PATCH', `communities/${community.id}`, {
    registry_host: process.env.LAB_REGISTRY,
    namespace: 'team'
  });
  await lab.api('PUT', `communities/${community.id}/agent`, {
    user: 'agent',
    secret: 'correct horse'
  });
  const build = await lab.api('POST', `projects/${project.id}/builds`, {
    name: 'geo',
    dockerfile_path: 'Dockerfile',
    storage: 'registry'
  });
  await expect
    .poll(async () => (await lab.api('GET', `builds/${build.id}`)).state, {
      timeout: 120_000
    })
    .toBe('succeeded');
  const id: string = build.image_id;
  await lab.open('churn');
  await lab.panel();
  await lab.command('image-manager:open-image', { image_id: id });
  const kept = page.getByRole('region', { name: 'Where it is kept' });
  await expect(kept).toContainText('In the registry');
  const dialog = page.getByRole('dialog');
  const close = async () => {
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect(dialog).toHaveCount(0);
  };

  await kept.getByRole('button', { name: 'Optimize…' }).click();
  await expect(dialog).toContainText('whatever becomes of the registry');
  await dialog.getByRole('button', { name: 'Optimize geo:1' }).click();
  await expect(dialog).toContainText('geo:1 is optimized.');
  await close();
  await expect(kept).toContainText('with an optimized copy here');

  await kept.getByRole('button', { name: 'Delete in the registry…' }).click();
  const remove = dialog.getByRole('button', {
    name: 'Delete it in the registry'
  });
  await expect(dialog).toContainText('goes on working from its optimized copy');
  await expect(remove).toBeDisabled();
  await pictures(lab, 'original');
  await dialog.getByRole('checkbox').check();
  await remove.click();
  await expect(dialog).toContainText('geo:1 is deleted in the registry.');
  await close();
  await expect(kept).toContainText('works on from the optimized copy');
  await pictures(lab, 'page');
  const active = await lab.api('PUT', `projects/${project.id}/active-image`, {
    image_id: id
  });
  expect(active.active_image_id).toBe(id);
  await lab.api('DELETE', `projects/${project.id}/active-image`);

  await kept.getByRole('button', { name: 'Give up the copy…' }).click();
  await expect(dialog).toContainText('This is final');
  await expect(
    dialog.getByRole('button', { name: 'Give up the copy' })
  ).toBeDisabled();
  await dialog.getByRole('checkbox').check();
  await dialog.getByRole('button', { name: 'Give up the copy' }).click();
  await expect(dialog).toContainText('is given up');
  await close();
  await expect(kept).toContainText('can no longer be pulled');
});
