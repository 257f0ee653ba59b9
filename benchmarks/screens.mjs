// Measures our screens in one Chromium; prints JSON.
// Usage: node screens.mjs URL TOKEN ROUNDS, while a build of the project "logging" writes its log.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';

const require = createRequire(
  new URL('../labextension/ui-tests/package.json', import.meta.url)
);
const { chromium } = require('@playwright/test');
const [url, token, rounds] = process.argv.slice(2);

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
const page = await context.newPage();
await page.goto(`${url}lab?reset&token=${token}`);
await page.waitForFunction(() => window.jupyterapp?.restored);
await page.evaluate(() => window.jupyterapp.restored);
await page.evaluate(async () => {
  const app = window.jupyterapp;
  const tokens = [...app.pluginRegistry._services.keys()];
  const wanted = tokens.find(
    each => each.name === 'jupyter-image-manager:IImageManager'
  );
  window.manager = await app.resolveRequiredService(wanted);
  window.run = (id, args) => app.commands.execute(`image-manager:${id}`, args);
  await window.run('open-panel');
  window.go = async (path, name) => {
    const { manager } = window;
    manager.setPath(path, true);
    while (manager.project?.name !== name) {
      await new Promise(done => setTimeout(done, 20));
    }
  };
});

/** Milliseconds from the moment the images are known to the frame that shows them, ready to be used. */
async function list() {
  await page.evaluate(() => window.go('few', 'few'));
  await page.waitForTimeout(300);
  return page.evaluate(
    () =>
      new Promise(done => {
        const { manager } = window;
        let began = 0;
        const heard = () => {
          if (!began && manager.project?.name === 'many') {
            began = performance.now();
            manager.stateChanged.disconnect(heard);
            const look = () => {
              if (document.querySelector('[role="treegrid"] button')) {
                // After the paint; a task behind it shows that nothing more is waiting.
                requestAnimationFrame(() =>
                  setTimeout(() => done(performance.now() - began))
                );
              } else {
                requestAnimationFrame(look);
              }
            };
            look();
          }
        };
        manager.stateChanged.connect(heard);
        manager.setPath('many', true);
      })
  );
}

/** Milliseconds of each frame while the lines of a log arrive, and how many lines came. */
async function follow() {
  const build = await page.evaluate(async () => {
    await window.go('logging', 'logging');
    return window.manager.builds[0].id;
  });
  await page.evaluate(id => window.run('open-log', { build_id: id }), build);
  await page.waitForSelector('.jp-ImageManager-page:not(.lm-mod-hidden)');
  await page.waitForTimeout(2000);
  const lines = () =>
    page.evaluate(() => {
      const shown = document.querySelector('.jp-ImageManager-page input');
      return Number(shown.placeholder.replace(/\D/g, ''));
    });
  const before = await lines();
  const frames = await page.evaluate(
    () =>
      new Promise(done => {
        const times = [];
        let last = performance.now();
        const end = last + 6000;
        const frame = now => {
          times.push(now - last);
          last = now;
          if (now < end) {
            requestAnimationFrame(frame);
          } else {
            done(times.slice(1));
          }
        };
        requestAnimationFrame(frame);
      })
  );
  const arrived = (await lines()) - before;
  await page.evaluate(() => window.jupyterapp.shell.currentWidget.close());
  return { frames, arrived };
}

/** Milliseconds of a frame of the same page when nothing happens. */
async function idle() {
  return page.evaluate(
    () =>
      new Promise(done => {
        const times = [];
        let last = performance.now();
        const frame = now => {
          times.push(now - last);
          last = now;
          if (times.length < 120) {
            requestAnimationFrame(frame);
          } else {
            done(times.slice(1));
          }
        };
        requestAnimationFrame(frame);
      })
  );
}

/** Bytes of the heap after each screen was opened and closed some times more. */
async function leak(times) {
  const tools = await context.newCDPSession(page);
  await tools.send('HeapProfiler.enable');
  await page.evaluate(() => window.go('few', 'few'));
  const facts = await page.evaluate(() => ({
    image: window.manager.images.find(each => each.last_build_id),
    project: window.manager.project
  }));
  const open = async (command, args, selector) => {
    await page.evaluate(
      ([id, given]) => void window.run(id, given),
      [command, args]
    );
    await page.waitForSelector(
      `.jp-ImageManager-page:not(.lm-mod-hidden) ${selector}`
    );
    await page.evaluate(() => {
      window.jupyterapp.shell.currentWidget.close();
    });
    await page.waitForSelector('.jp-ImageManager-page', { state: 'detached' });
  };
  const round = async () => {
    const { image, project } = facts;
    await open('open-image', { image_id: image.id }, '[role="tabpanel"] h2');
    await open('open-log', { build_id: image.last_build_id }, 'input');
    await open('new-image', {}, 'form input');
    await open('run-settings', { project_id: project.id }, 'form input');
    await page.evaluate(() => {
      void window.run('delete-image', {
        image_id: window.manager.images.at(-1).id
      });
    });
    await page.waitForSelector('.jp-Dialog');
    await page.evaluate(() => {
      document.querySelector('.jp-Dialog .jp-mod-reject').click();
    });
    await page.waitForSelector('.jp-Dialog', { state: 'detached' });
    // The panel itself.
    await page.evaluate(() => {
      window.jupyterapp.shell.collapseLeft();
      window.jupyterapp.shell.expandLeft();
    });
  };
  const used = async () => {
    await page.waitForTimeout(500);
    for (let turn = 0; turn < 3; turn++) {
      await tools.send('HeapProfiler.collectGarbage');
    }
    return (await tools.send('Runtime.getHeapUsage')).usedSize;
  };
  for (let turn = 0; turn < 10; turn++) {
    await round(); // loads what is loaded once, and fills caches
  }
  const before = await used();
  for (let turn = 0; turn < times; turn++) {
    await round();
  }
  const after = await used();
  const nodes = await page.evaluate(
    () => document.querySelectorAll('*').length
  );
  return { before, after, nodes };
}

const lists = [];
for (let turn = 0; turn < 12; turn++) {
  lists.push(await list());
}
const still = await idle();
const log = await follow();
const heap = await leak(Number(rounds));
await browser.close();
console.log(JSON.stringify({ lists: lists.slice(1), still, log, heap }));
