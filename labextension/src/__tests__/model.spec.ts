import type { Event } from '@jupyterlab/services';
import { Stream } from '@lumino/signaling';

import { ImageManagerAPI } from '../api';
import { whenBack } from '../connection';
import { kernelsOf, nearestProject } from '../kernels';
import { ImageManagerModel } from '../model';
import type { IBuild, IKernelEvent } from '../tokens';
import { sameVersion } from '../version';
import { aBuild, aProject, anImage, json, settingsOf } from './factory';

interface IServer {
  builds: IBuild[];
  pulls: unknown[];
  version: string;
  absent: boolean;
  signedOut: boolean;
  engineDown: boolean;
}

function modelOf(server: Partial<IServer> = {}) {
  const state: IServer = {
    builds: [],
    pulls: [],
    version: '1.0.0',
    absent: false,
    signedOut: false,
    engineDown: false,
    ...server
  };
  const requests: string[] = [];
  const api = new ImageManagerAPI(
    settingsOf(request => {
      const url = new URL(request.url);
      const route = url.pathname.replace('/base/image-manager/v1/', '');
      requests.push(route);
      if (state.absent) {
        return new Response('<h1>404</h1>', { status: 404 });
      }
      if (state.signedOut) {
        return json({ message: 'Forbidden' }, 403);
      }
      switch (route) {
        case 'status':
          return json({
            version: state.version,
            engine: { ok: true, message: '' }
          });
        case 'projects': {
          const path = url.searchParams.get('path');
          if (path === null) {
            return json({ items: [aProject()] });
          }
          return path.startsWith('churn')
            ? json(aProject())
            : json({ message: 'None.', code: 'project_not_found' }, 404);
        }
        case 'projects/p1/images':
          return json({ items: [anImage()], next: null });
        case 'projects/p1/usage':
          return json({
            images: 1,
            ready: 1,
            bytes: 5,
            max_images: 5,
            max_bytes: null,
            disk_free: null,
            disk_total: null
          });
        case 'system-images':
          return json({
            items: [{ id: 'server-environment', name: 'Server environment' }]
          });
        case 'projects/p1/builds':
          return json({ items: state.builds });
        case 'pulls':
          return json({ items: state.pulls });
        case 'kernels':
          return state.engineDown
            ? json({ message: 'No engine.', code: 'engine_unavailable' }, 503)
            : json({ items: [] });
        default:
          return json({ items: [] });
      }
    })
  );
  const events = new Stream<unknown, Event.Emission>({});
  const model = new ImageManagerModel({
    api,
    version: '1.0.0',
    events,
    standby: 'never'
  });
  return { model, state, requests, events };
}

describe('ImageManagerModel', () => {
  it('follows the path in front', async () => {
    const { model } = modelOf();
    await model.refresh();
    expect(model.server).toBe('ready');
    expect(model.loaded).toBe(false);
    model.setPath('', true);
    await model.refresh();
    expect(model.loaded).toBe(true);
    expect(model.project).toBeNull();
    model.setPath('churn/a.ipynb', false);
    expect(model.folder).toBe('churn');
    await model.refresh();
    expect(model.project?.id).toBe('p1');
    expect(model.images.map(image => image.spec)).toEqual(['scientific:1']);
    model.dispose();
  });

  it('asks for nothing more when the server part is absent', async () => {
    const { model, requests } = modelOf({ absent: true });
    await model.refresh();
    expect(model.server).toBe('absent');
    expect(new Set(requests)).toEqual(new Set(['status']));
    model.dispose();
  });

  it('keeps what it knows while the server does not know who asks, and goes on after it', async () => {
    const { model, state } = modelOf();
    model.setPath('churn', true);
    await model.refresh();
    let back = 0;
    whenBack({}, model, () => (back += 1));
    state.signedOut = true;
    await model.refresh();
    expect(model.server).toBe('signedOut');
    expect(model.error).toBe('');
    expect(model.images).toHaveLength(1);
    state.signedOut = false;
    await model.refresh();
    expect(model.server).toBe('ready');
    expect(back).toBe(1);
    state.absent = true;
    await model.refresh();
    expect(model.server).toBe('absent');
    expect(model.known).toBe(true);
    model.dispose();
  });

  it('tells another version of the server part', async () => {
    const { model } = modelOf({ version: '2.0.0' });
    await model.refresh();
    expect(model.server).toBe('mismatch');
    expect(model.serverVersion).toBe('2.0.0');
    model.dispose();
  });

  it('shows what the store knows while the engine is down', async () => {
    const { model, state } = modelOf({ engineDown: true });
    model.setPath('churn', true);
    await model.refresh();
    expect(model.engineProblem).toBe('No engine.');
    expect(model.error).toBe('');
    expect(model.images).toHaveLength(1);
    state.engineDown = false;
    await model.refresh();
    expect(model.engineProblem).toBe('');
    model.dispose();
  });

  it('tells of pulls for which the project waits', async () => {
    const { model, state } = modelOf({ pulls: [{ id: 'l1' }] });
    model.setPath('churn', true);
    await model.refresh();
    expect(model.pulls.map(pull => pull.id)).toEqual(['l1']);
    state.pulls = [];
    await model.refresh();
    expect(model.pulls).toEqual([]);
    model.dispose();
  });

  it('tells once that a build has ended', async () => {
    const { model, state } = modelOf({ builds: [aBuild()] });
    const ended: string[] = [];
    model.buildEnded.connect((_, build) => ended.push(build.state));
    model.setPath('churn', true);
    await model.refresh();
    expect(model.builds).toHaveLength(1);
    state.builds = [aBuild({ state: 'succeeded' })];
    await model.refresh();
    await model.refresh();
    expect(model.builds).toHaveLength(0);
    expect(ended).toEqual(['succeeded']);
    model.dispose();
  });

  it('fetches again upon our events only, and passes kernel events on', async () => {
    const { model, events, requests } = modelOf();
    model.setPath('churn', true);
    await model.refresh();
    const kernels: IKernelEvent[] = [];
    model.kernelEvent.connect((_, event) => kernels.push(event));
    const before = requests.length;
    events.emit({
      schema_id: 'https://events.jupyter.org/jupyter_server/contents_service/v1'
    });
    events.emit({
      schema_id: 'https://schema.jupyter.org/jupyter_image_manager/kernel/v1',
      action: 'died',
      kernel_id: 'k1',
      project_id: 'p1'
    });
    expect(kernels.map(event => event.kernel_id)).toEqual(['k1']);
    await new Promise<void>(resolve => {
      model.stateChanged.connect(() => {
        if (requests.slice(before).includes('projects/p1/images')) {
          resolve();
        }
      });
    });
    model.dispose();
  });

  it('asks for room and system images once, not at each look', async () => {
    const { model, requests } = modelOf();
    model.setPath('churn', true);
    await model.refresh();
    while (!model.usage) {
      await new Promise<void>(resolve => {
        model.stateChanged.connect(() => resolve());
      });
    }
    expect(model.usage.max_images).toBe(5);
    expect(model.systemImages.map(image => image.name)).toEqual([
      'Server environment'
    ]);
    await model.refresh();
    expect(
      requests.filter(route => route === 'projects/p1/usage')
    ).toHaveLength(1);
    model.dispose();
  });
});

describe('sameVersion', () => {
  it.each([
    ['1.2.3', '1.2.3', true],
    ['1.2.3a1', '1.2.3-alpha.1', true],
    ['1.2.3rc0', '1.2.3-rc.0', true],
    ['1.2.4', '1.2.3', false]
  ])('%s and %s: %s', (server, frontend, same) => {
    expect(sameVersion(server, frontend)).toBe(same);
  });
});

describe('kernels', () => {
  const inner = aProject({ id: 'p2', jupyter_path: 'churn/inner' });
  const projects = [aProject(), inner];

  it('belong to the nearest project', () => {
    expect(nearestProject('churn/a.ipynb', projects)?.id).toBe('p1');
    expect(nearestProject('churn/inner/a.ipynb', projects)?.id).toBe('p2');
    expect(nearestProject('churned/a.ipynb', projects)).toBeNull();
    const outside = aProject({ id: 'p3', jupyter_path: null });
    expect(nearestProject('a.ipynb', [outside])).toBeNull();
  });

  it('are stale when they run elsewhere than a new one would', () => {
    const session = (id: string, path: string) => ({
      id,
      path,
      name: '',
      type: 'notebook',
      kernel: { id, name: 'python3' }
    });
    const kernels = kernelsOf(
      aProject({ active_image_id: 'i1' }),
      projects,
      [
        session('k1', 'churn/a.ipynb'),
        session('k2', 'RTC:churn/b.ipynb'),
        session('k3', 'churn/inner/c.ipynb')
      ],
      [
        {
          kernel_id: 'k1',
          project_id: 'p1',
          image_id: 'i1',
          image: 'scientific:1',
          notebook: '',
          stale: false
        }
      ]
    );
    expect(
      kernels.map(kernel => [kernel.kernelId, kernel.image, kernel.stale])
    ).toEqual([
      ['k1', 'scientific:1', false],
      ['k2', null, true]
    ]);
  });
});
