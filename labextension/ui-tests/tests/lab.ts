import { expect, test as base } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';

const TOKEN = process.env.LAB_TOKEN ?? '';
const API = 'image-manager/v1';

/**
 * JupyterLab as a person sees it.
 */
export class Lab {
  /** What the browser complained about. */
  readonly complaints: string[] = [];

  constructor(readonly page: Page) {
    page.on('pageerror', error => this.complaints.push(error.message));
  }

  /** Open a file or folder in a fresh workspace. */
  async open(path = ''): Promise<void> {
    const query = `?reset&token=${TOKEN}`;
    const place = path ? `lab/tree/${path}` : 'lab';
    await this.page.goto(`${process.env.LAB_URL}/${place}${query}`);
    await this.page.waitForSelector('#jp-main-dock-panel');
    await this.page.waitForFunction(
      () => 'jupyterapp' in window && (window as any).jupyterapp.restored
    );
    await this.page.evaluate(() => (window as any).jupyterapp.restored);
  }

  /** The panel, opened; its name is in the language of the page. */
  async panel(name = 'Images'): Promise<Locator> {
    const panel = this.page.getByRole('region', { name, exact: true });
    if (!(await panel.isVisible())) {
      await this.page.getByRole('tab', { name, exact: true }).click();
    }
    await expect(panel).toBeVisible();
    return panel;
  }

  /** Run a command, not waiting for what it asks. */
  async command(id: string, args: Record<string, unknown> = {}): Promise<void> {
    await this.page.evaluate(
      ([command, given]) => {
        void (window as any).jupyterapp.commands.execute(command, given);
      },
      [id, args] as const
    );
  }

  /** The answer of our REST API. */
  async api(method: string, route: string, data?: unknown): Promise<any> {
    const response = await this.page.request.fetch(
      `${process.env.LAB_URL}/${API}/${route}`,
      { method, data, headers: { Authorization: `token ${TOKEN}` } }
    );
    expect(response.ok(), `${method} ${route}: ${await response.text()}`).toBe(
      true
    );
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  }

  /** A file's content, or a notebook, as the server has it. */
  async contents(path: string): Promise<any> {
    const response = await this.page.request.get(
      `${process.env.LAB_URL}/api/contents/${path}`,
      { headers: { Authorization: `token ${TOKEN}` } }
    );
    return (await response.json()).content;
  }

  /** Write a file or folder through the server. */
  async put(path: string, model: Record<string, unknown>): Promise<void> {
    const response = await this.page.request.put(
      `${process.env.LAB_URL}/api/contents/${path}`,
      { data: model, headers: { Authorization: `token ${TOKEN}` } }
    );
    expect(response.ok(), await response.text()).toBe(true);
  }

  /** Choose the language of the next page. */
  async speak(locale: string): Promise<void> {
    const response = await this.page.request.put(
      `${process.env.LAB_URL}/lab/api/settings/@jupyterlab/translation-extension:plugin`,
      {
        data: { raw: JSON.stringify({ locale }) },
        headers: { Authorization: `token ${TOKEN}` }
      }
    );
    expect(response.ok(), await response.text()).toBe(true);
  }

  /** Kill the server, as the machine might. */
  async stopServer(): Promise<void> {
    await this._control('stop');
  }

  /** Start the server again at the same address, with more options. */
  async startServer(...options: string[]): Promise<void> {
    await this._control('start', options);
  }

  private async _control(what: string, options?: string[]): Promise<void> {
    const response = await this.page.request.post(
      `${process.env.LAB_CONTROL}/${what}`,
      { data: options, timeout: 90_000 }
    );
    expect(response.ok()).toBe(true);
  }

  /** A cell of the notebook in front. */
  cell(index: number): Locator {
    return this.page
      .locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell')
      .nth(index);
  }

  /** Wait until the kernel in front can be used: JupyterLab forgets what is asked before. */
  async ready(): Promise<void> {
    await this.page.waitForFunction(
      () => {
        const context = (window as any).jupyterapp.shell.currentWidget
          ?.sessionContext;
        const kernel = context?.session?.kernel;
        return (
          context?.isReady &&
          kernel?.connectionStatus === 'connected' &&
          kernel.status === 'idle'
        );
      },
      undefined,
      { timeout: 90_000 }
    );
  }

  /** Run a cell. */
  async run(index: number): Promise<void> {
    await this.ready();
    await this.cell(index).locator('.jp-InputArea-editor').click();
    await this.page.keyboard.press('Control+Enter');
  }

  /** Change the theme and wait until its colours are there. */
  async theme(theme: string): Promise<void> {
    const { page } = this;
    const colour = () =>
      page.evaluate(() =>
        getComputedStyle(document.body).getPropertyValue('--jp-layout-color1')
      );
    const light = theme.endsWith('Light');
    const body = page.locator('body');
    if ((await body.getAttribute('data-jp-theme-light')) === String(light)) {
      return;
    }
    const before = await colour();
    await page.evaluate(
      name =>
        (window as any).jupyterapp.commands.execute('apputils:change-theme', {
          theme: name
        }),
      theme
    );
    await expect.poll(colour).not.toBe(before);
    // JupyterLab covers the page while a theme comes.
    await expect(page.locator('#jupyterlab-splash')).toHaveCount(0);
  }

  /** Take a picture into the results of the test. */
  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: `test-results/pictures/${name}.png` });
  }
}

export const test = base.extend<{ lab: Lab }>({
  lab: async ({ page }, use) => {
    const lab = new Lab(page);
    await use(lab);
    expect(lab.complaints).toEqual([]);
  }
});

export { expect };
