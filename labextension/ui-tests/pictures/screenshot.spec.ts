import { expect, test } from '../tests/lab';
import type { Lab } from '../tests/lab';

const GEO = `FROM BASE
RUN useradd --create-home --uid 1000 jupyter
RUN python3 -m pip install --no-index gdal==9.1
`;
const NEXT = `
USER root
RUN python3 -m compileall -q -f -o 2 /usr/local/lib
`;

test.use({ viewport: { width: 1440, height: 900 } });

/** Write a text file into the project. */
async function write(lab: Lab, path: string, content: string): Promise<void> {
  await lab.page.request.put(
    `${process.env.LAB_URL}/api/contents/churn/${path}`,
    {
      data: { type: 'file', format: 'text', content },
      headers: { Authorization: `token ${process.env.LAB_TOKEN}` }
    }
  );
}

test('the panel beside a notebook', async ({ lab }) => {
  const { page } = lab;
  await lab.open('churn');
  const project = await lab.api('POST', 'projects', { path: 'churn' });
  await lab.api('PATCH', `projects/${project.id}`, { name: 'churn-model' });
  const build = async (name: string, file: string, wait = true) => {
    const { id } = await lab.api('POST', `projects/${project.id}/builds`, {
      name,
      dockerfile_path: file
    });
    if (wait) {
      await expect
        .poll(async () => (await lab.api('GET', `builds/${id}`)).state, {
          timeout: 120_000
        })
        .toMatch(/succeeded|failed/);
    }
    return id;
  };
  const described = (await lab.contents('churn/Dockerfile')) as string;
  const base = /^FROM (\S+)/m.exec(described)![1];
  await write(lab, 'geo.dockerfile', GEO.replace('BASE', base));
  await write(lab, 'next.dockerfile', described + NEXT);
  await build('minimal', 'Dockerfile');
  await build('geo', 'geo.dockerfile');
  await build('scientific', 'Dockerfile');
  await build('scientific', 'Dockerfile');
  const { items } = await lab.api('GET', `projects/${project.id}/images`);
  await lab.api('PUT', `projects/${project.id}/active-image`, {
    image_id: items[0].id
  });

  await lab.open('churn/churn.ipynb');
  const panel = await lab.panel();
  await expect(panel).toContainText('scientific:2');
  const handle = page
    .locator('#jp-main-split-panel > .lm-SplitPanel-handle')
    .first();
  const { x, y, height } = (await handle.boundingBox())!;
  await page.mouse.move(x + 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + 60, y + height / 2, { steps: 4 });
  await page.mouse.up();

  await lab.ready();
  await lab.command('notebook:run-all-cells');
  await expect(lab.cell(2).locator('.jp-OutputArea img')).toBeVisible({
    timeout: 120_000
  });
  await page.keyboard.press('Control+s');
  await build('scientific', 'next.dockerfile', false);
  await expect(panel).toContainText('compileall', { timeout: 60_000 });
  await lab
    .cell(2)
    .locator('.jp-OutputArea img')
    .evaluate(node => node.scrollIntoView({ block: 'end' }));
  await expect(page.locator('.Toastify__toast')).toHaveCount(0, {
    timeout: 60_000
  });
  await page.mouse.move(900, 10);
  await page.screenshot({ path: '../../docs/screenshot.png' });
});
