import { createHash } from 'crypto';
import { existsSync, readlinkSync, symlinkSync, unlinkSync } from 'fs';
import type { Locator, Page } from '@playwright/test';

import { expect, test } from './lab';
import type { Lab } from './lab';

const PASSWORD = 'of the test';

const AWAY = 'The server does not answer.';
const SIGNED_OUT = 'You are signed out.';
const LACKS = 'The server lacks its part of the image manager.';

/** Options of a server that is entered by a password, so that a session is a cookie. */
function withPassword(): string[] {
  const salt = 'abcdef012345';
  const hash = createHash('sha1')
    .update(PASSWORD + salt)
    .digest('hex');
  return [
    '--IdentityProvider.token=',
    `--PasswordIdentityProvider.hashed_password=sha1:${salt}:${hash}`
  ];
}

const WITHOUT_PART =
  "--ServerApp.jpserver_extensions={'jupyter_image_manager': False}";

/** The panel and the page of a new image, on which something is typed. */
async function screens(lab: Lab): Promise<{ panel: Locator; form: Locator }> {
  const panel = await lab.panel();
  await expect(panel.getByRole('heading', { name: 'churn' })).toBeVisible();
  await lab.command('image-manager:new-image');
  const form = lab.page.locator('.jp-ImageManager-page');
  await form.getByLabel('Name', { exact: true }).fill('typed-before');
  await expect(form.getByRole('button', { name: /^Build/ })).toBeEnabled();
  return { panel, form };
}

/** That both say something, one after the other. */
async function bothSay(text: string, ...places: Locator[]): Promise<void> {
  for (const place of places) {
    await expect(
      place.getByRole('status').filter({ hasText: text })
    ).toBeVisible();
  }
}

/** That all goes on and nothing typed is lost. */
async function goesOn(
  { panel, form }: { panel: Locator; form: Locator },
  name: string
): Promise<void> {
  for (const place of [panel, form]) {
    await expect(
      place.locator('.jp-ImageManager-banner[data-tone="warn"]')
    ).toHaveCount(0);
  }
  await expect(form.getByLabel('Name', { exact: true })).toHaveValue(name);
  await expect(form.getByRole('button', { name: /^Build/ })).toBeEnabled();
  await expect(panel.getByRole('heading', { name: 'churn' })).toBeVisible();
}

/** JupyterLab has a word of its own to say; it is not what is tested. */
async function dismiss(page: Page): Promise<void> {
  await page.addLocatorHandler(
    page.locator('.jp-Dialog').filter({ hasText: /connection|server/i }),
    async dialog => {
      await dialog.getByRole('button').last().click();
    }
  );
}

test.describe.configure({ mode: 'serial' });

test.beforeEach(async ({ lab }) => {
  await lab.api('POST', 'projects', { path: 'churn' }).catch(() => undefined);
});

test('a server that is killed is waited for, also while its part is gone', async ({
  lab,
  page
}) => {
  await lab.open('churn');
  await dismiss(page);
  const places = await screens(lab);
  await lab.stopServer();
  await bothSay(AWAY, places.panel, places.form);
  await places.form.getByLabel('Name', { exact: true }).fill('typed-while');
  await lab.picture('server-away');
  await lab.startServer(WITHOUT_PART);
  await bothSay(LACKS, places.panel, places.form);
  await lab.picture('server-part-gone');
  await lab.stopServer();
  await lab.startServer();
  await goesOn(places, 'typed-while');
});

test('a session that is over is begun again', async ({ lab, page }) => {
  await lab.stopServer();
  await lab.startServer(...withPassword());
  await page.goto(`${process.env.LAB_URL}/login`);
  await signIn(page);
  await lab.open('churn');
  await dismiss(page);
  const places = await screens(lab);
  await page.context().clearCookies();
  await places.form.getByLabel('Name', { exact: true }).fill('typed-out');
  await bothSay(SIGNED_OUT, places.panel, places.form);
  await lab.picture('signed-out');
  const opened = page.context().waitForEvent('page');
  await places.form.getByRole('button', { name: 'Sign in again' }).click();
  const other = await opened;
  await signIn(other);
  await other.close();
  await goesOn(places, 'typed-out');
});

test('an engine that is down is told; images are listed all the same', async ({
  lab,
  page
}) => {
  const socket = process.env.LAB_ENGINE ?? '';
  const engine = readlinkSync(socket);
  await lab.stopServer();
  unlinkSync(socket);
  try {
    await lab.startServer();
    await lab.open('many');
    const panel = await lab.panel();
    const told = panel
      .getByRole('status')
      .filter({ has: page.getByRole('button', { name: 'Try again' }) });
    await expect(told).toContainText('engine');
    await expect(panel.getByText('image-0001').first()).toBeVisible();
    await lab.picture('engine-down');
    symlinkSync(engine, socket);
    await told.getByRole('button', { name: 'Try again' }).click();
    await expect(told).toHaveCount(0);
  } finally {
    if (!existsSync(socket)) {
      symlinkSync(engine, socket);
    }
  }
});

test('another version is told, and reloading leads out', async ({
  lab,
  page
}) => {
  // A real server of another version would need a second installation.
  await page.route('**/image-manager/v1/status*', async route => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      json: { ...(await response.json()), version: '99.0.0' }
    });
  });
  await lab.open('churn');
  const panel = await lab.panel();
  await bothSay('the server of 99.0.0', panel);
  await lab.picture('another-version');
  await page.unroute('**/image-manager/v1/status*');
  await panel.getByRole('button', { name: 'Reload' }).click();
  await expect(panel).toHaveCount(0);
  await page.waitForSelector('#jp-main-dock-panel');
  const again = await lab.panel();
  await expect(again.getByRole('heading', { name: 'churn' })).toBeVisible();
});

async function signIn(page: Page): Promise<void> {
  await page.locator('input[name="password"]').fill(PASSWORD);
  await page.locator('#login_submit, button[type="submit"]').first().click();
  await page.waitForURL(url => !url.pathname.endsWith('/login'));
}
