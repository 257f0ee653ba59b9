import { existsSync } from 'fs';
import { defineConfig } from '@playwright/test';

// A browser of the machine, where there is one; else Playwright's own.
const candidates = [process.env.CHROMIUM, '/usr/bin/chromium'];
const executablePath = candidates.find(path => path && existsSync(path));

export default defineConfig({
  // The pictures of the documentation are taken by the same means: `make pictures`.
  testDir: process.env.PICTURES ? 'pictures' : 'tests',
  timeout: 420_000,
  expect: { timeout: 30_000 },
  workers: 1,
  retries: 0,
  reporter: 'list',
  use: {
    baseURL: process.env.LAB_URL,
    viewport: { width: 1280, height: 860 },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    video: 'off',
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  }
});
