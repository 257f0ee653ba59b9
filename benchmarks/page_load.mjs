// Opens JupyterLab again and again in one Chromium, by turns with and without our extension; prints the times as JSON.
// Usage: node page_load.mjs URL TOKEN PAGE_CONFIG RUNS
import { createRequire } from 'node:module';
import { existsSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const require = createRequire(
  new URL('../labextension/ui-tests/package.json', import.meta.url)
);
const { chromium } = require('@playwright/test');
const [url, token, pageConfig, runs] = process.argv.slice(2);

const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium'].find(
  path => path && existsSync(path)
);
const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--no-first-run'
  ]
});
const context = await browser.newContext({
  viewport: { width: 1280, height: 860 }
});
// Counted from the beginning of the navigation to the moment in which JupyterLab is there to be used.
await context.addInitScript(() => {
  const wait = () => {
    if (window.jupyterapp) {
      void window.jupyterapp.restored.then(() => {
        window.ready = performance.now();
      });
    } else {
      setTimeout(wait, 1);
    }
  };
  wait();
});

const OURS = '/extensions/jupyter-image-manager/';

function choose(enabled) {
  writeFileSync(
    pageConfig,
    JSON.stringify({
      disabledExtensions: { 'jupyter-image-manager': !enabled }
    })
  );
}

/** Milliseconds until JupyterLab can be used, and the bytes that come from us. */
async function load(enabled) {
  choose(enabled);
  const page = await context.newPage();
  const bodies = [];
  page.on('response', response => {
    if (response.url().includes(OURS)) {
      bodies.push(response.body());
    }
  });
  await page.goto(`${url}lab?reset&token=${token}`);
  await page.waitForFunction(() => window.ready);
  const ready = await page.evaluate(() => window.ready);
  const here = await page.evaluate(() =>
    window.jupyterapp.hasPlugin('jupyter-image-manager:panel')
  );
  if (here !== enabled) {
    throw new Error(
      `The extension is ${here ? '' : 'not '}there, but should ${enabled ? '' : 'not '}be.`
    );
  }
  const bytes = (await Promise.all(bodies)).reduce(
    (sum, body) => sum + gzipSync(body).length,
    0
  );
  await page.close();
  return { ready, bytes };
}

/** Milliseconds spent in our code, and in what it calls, until JupyterLab can be used. */
async function profile() {
  choose(true);
  const page = await context.newPage();
  await page.goto(`${url}api`); // of the same origin, so that the profiler goes on over the navigation
  const tools = await context.newCDPSession(page);
  await tools.send('Profiler.enable');
  await tools.send('Profiler.setSamplingInterval', { interval: 250 });
  await tools.send('Profiler.start');
  await page.goto(`${url}lab?reset&token=${token}`);
  await page.waitForFunction(() => window.ready);
  const { profile } = await tools.send('Profiler.stop');
  await page.close();
  const nodes = new Map(profile.nodes.map(node => [node.id, node]));
  const ours = new Set();
  const mark = (node, inside) => {
    const now = inside || node.callFrame.url.includes(OURS);
    if (now) {
      ours.add(node.id);
    }
    for (const child of node.children ?? []) {
      mark(nodes.get(child), now);
    }
  };
  mark(profile.nodes[0], false);
  let microseconds = 0;
  profile.samples.forEach((id, index) => {
    if (ours.has(id)) {
      microseconds += profile.timeDeltas[index];
    }
  });
  return microseconds / 1000;
}

const turns = [];
let loaded = 0;
for (let turn = 0; turn <= Number(runs); turn++) {
  // The order changes, so that none is always the second.
  const found = {};
  for (const enabled of turn % 2 ? [true, false] : [false, true]) {
    found[enabled ? 'with' : 'without'] = await load(enabled);
  }
  if (turn) {
    turns.push(found);
  } else {
    loaded = found.with.bytes; // later the browser has them
  }
}
const own = [];
for (let turn = 0; turn < 5; turn++) {
  own.push(await profile());
}
await browser.close();
console.log(JSON.stringify({ turns, own, loaded }));
