import { Dialog } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';

import { Activator } from '../activator';
import { ImageManagerAPI } from '../api';
import { Activation, tickedAtFirst } from '../components/activation';
import { actionsOf } from '../components/facts';
import type { IImageManager, IPackageDiff, IProjectKernel } from '../tokens';
import { aProject, anImage, json, settingsOf } from './factory';

const trans = nullTranslator.load('jupyter_image_manager');
const kernel = (kernelId: string, imageId: string): IProjectKernel => ({
  kernelId,
  path: `churn/${kernelId}.ipynb`,
  image: 'scientific:1',
  imageId,
  stale: false
});
const NOTHING: IPackageDiff = { added: [], removed: [], changed: [] };

/** A server on which one image is active, and what it is asked. */
function aServer(options: {
  kernels: IProjectKernel[];
  busy?: string[];
  diff?: IPackageDiff;
}) {
  const asked: string[] = [];
  const settings = settingsOf(async request => {
    const route = `${request.method} ${new URL(request.url).pathname.replace('/base/', '')}`;
    if (!route.startsWith('GET')) {
      asked.push(route);
    }
    if (route === 'GET api/kernels') {
      return json(
        options.kernels.map(({ kernelId }) => ({
          id: kernelId,
          name: 'python3',
          execution_state: options.busy?.includes(kernelId) ? 'busy' : 'idle'
        }))
      );
    }
    if (route.endsWith('/diff')) {
      return json(options.diff ?? NOTHING);
    }
    if (route.endsWith('/restart')) {
      return json({ id: route.split('/')[2], name: 'python3' });
    }
    return json(aProject());
  });
  const manager = {
    api: new ImageManagerAPI(settings),
    projectKernels: options.kernels,
    refresh: async () => undefined
  } as unknown as IImageManager;
  return {
    asked,
    activator: new Activator({ manager, trans, contexts: () => [] })
  };
}

/** The question, once it is there. */
async function question(): Promise<HTMLElement> {
  for (let tries = 0; tries < 100; tries++) {
    const dialog = document.querySelector<HTMLElement>('.jp-Dialog');
    if (dialog?.querySelector('.jp-ImageManager-dialog section')) {
      return dialog;
    }
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error('Nothing is asked.');
}

const project = aProject({
  active_image_id: 'i1',
  active_image: anImage({ id: 'i1' })
});
const next = anImage({ id: 'i2', version: 2 });

describe('activation', () => {
  afterEach(() => Dialog.flush());

  it('asks nothing when nothing is to be said', async () => {
    const { activator, asked } = aServer({ kernels: [kernel('a', 'i2')] });
    await activator.activate(project, next);
    expect(asked).toEqual(['PUT image-manager/v1/projects/p1/active-image']);
  });

  it('restarts the ticked kernels only, after the change', async () => {
    const { activator, asked } = aServer({
      kernels: [kernel('idle', 'i1'), kernel('busy', 'i1')],
      busy: ['busy'],
      diff: { ...NOTHING, added: [{ name: 'extra', version: '1' }] }
    });
    const done = activator.activate(project, next);
    const dialog = await question();
    expect(dialog.textContent).toContain('extra');
    expect(dialog.textContent).toContain(
      'It is running a cell; what it has computed would be lost.'
    );
    dialog.querySelector<HTMLElement>('button.jp-mod-accept')!.click();
    await done;
    expect(asked).toEqual([
      'PUT image-manager/v1/projects/p1/active-image',
      'POST api/kernels/idle/restart'
    ]);
  });

  it('changes nothing when it is not wanted', async () => {
    const { activator, asked } = aServer({ kernels: [kernel('a', 'i1')] });
    const done = activator.activate(project, next);
    const dialog = await question();
    dialog.querySelector<HTMLElement>('button.jp-mod-reject')!.click();
    await done;
    expect(asked).toEqual([]);
  });
});

describe('the question', () => {
  beforeAll(() => {
    (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  });

  it('shows some packages, then all, and tells of ticks', async () => {
    const place = document.createElement('div');
    document.body.append(place);
    const root = createRoot(place);
    const told: string[][] = [];
    const kernels = [
      { ...kernel('a', 'i1'), busy: false },
      { ...kernel('b', 'i1'), busy: true }
    ];
    expect(tickedAtFirst(kernels)).toEqual(['a']);
    await act(async () =>
      root.render(
        <Activation
          name="scientific:2"
          before="scientific:1"
          diff={{
            ...NOTHING,
            added: Array.from({ length: 11 }, (_, index) => ({
              name: `package-${index}`,
              version: '1'
            }))
          }}
          kernels={kernels}
          trans={trans}
          onTicked={ticked => told.push(ticked)}
        />
      )
    );
    expect(place.querySelectorAll('tr')).toHaveLength(8);
    const more = place.querySelector('button')!;
    expect(more.textContent).toBe('and 3 more');
    await act(async () => more.click());
    expect(place.querySelectorAll('tr')).toHaveLength(11);
    const [first, second] = place.querySelectorAll<HTMLInputElement>('input');
    expect([first.checked, second.checked]).toEqual([true, false]);
    await act(async () => second.click());
    await act(async () => first.click());
    expect(told).toEqual([['a', 'b'], ['b']]);
    root.unmount();
    place.remove();
  });
});

it('a usable image can be checked again', () => {
  expect(actionsOf(anImage(), trans).menu.map(item => item.command)).toContain(
    'image-manager:check-image'
  );
});
