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
});
