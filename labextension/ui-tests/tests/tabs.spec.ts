import { Lab, expect, test } from './lab';

test('tabs follow each other, also where no event passes', async ({
  lab,
  context
}) => {
  await lab.open('many');
  const project = await lab.api('GET', 'projects?path=many');
  const { items } = await lab.api('GET', `projects/${project.id}/images`);
  const heading = (await lab.panel()).getByRole('heading', { level: 2 });
  await expect(heading).toHaveText('many');

  const page = await context.newPage();
  let cut = 0;
  await page.routeWebSocket(/api\/events\/subscribe/, socket => {
    cut += 1;
    void socket.close();
  });
  const other = new Lab(page);
  await other.open('many');
  const otherPanel = await other.panel();
  const otherHeading = otherPanel.getByRole('heading', { level: 2 });
  await expect(otherHeading).toHaveText('many');
  await expect(otherPanel).toContainText('500');

  // How soon is told, not asserted: machines differ.
  const change = async (name: string) => {
    const begin = Date.now();
    await lab.api('PATCH', `projects/${project.id}`, { name });
    const seen = async (place: typeof heading) => {
      await expect(place).toHaveText(name, { timeout: 20_000 });
      return Date.now() - begin;
    };
    return Promise.all([seen(heading), seen(otherHeading)]);
  };
  for (const name of ['renamed', 'renamed again']) {
    const [told, asked] = await change(name);
    console.log(`by events ${told} ms, by asking ${asked} ms`);
  }
  expect(cut).toBeGreaterThan(0);

  // What is deleted in one is gone in the other.
  await lab.api('DELETE', `images/${items[0].id}?confirm=true`);
  await expect(otherPanel.locator(`[data-id="${items[0].id}"]`)).toHaveCount(0);
  await expect(otherPanel).toContainText('499');
  expect(other.complaints).toEqual([]);
});
