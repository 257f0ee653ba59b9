import { Signal } from '@lumino/signaling';
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { createRoot } from 'react-dom/client';

import { attended } from '../attended';
import { MissingModule, decisive, newsOf } from '../components/missingmodule';
import { MissingModules } from '../missing';
import type { INotebookHost } from '../offers';
import { RequestError } from '../request';
import type { IBuild, IImage, IImageManager, IProject } from '../tokens';
import { aBuild, aProject, anImage } from './factory';

const trans = nullTranslator.load('jupyter_image_manager');

/** A server with one project, whose active image lacks everything but numpy. */
class Server {
  project: IProject | null;
  images: IImage[];
  builds: IBuild[] = [];
  asked: unknown[] = [];
  activated: (string | null)[] = [];
  deleted: string[] = [];
  wentOn: object[][] = [];
  files: Record<string, string[]> = { churn: ['helpers.py', 'src'] };
  kernelImage: string | null = 'i1';
  others = 0;
  runs = 0;
  refused = '';

  constructor() {
    this.images = [
      anImage({
        id: 'i1',
        version: 3,
        report: {
          ok: true,
          items: [],
          python_version: '3.11.9',
          os_name: 'Debian',
          ipykernel: '6',
          packages: [{ name: 'numpy', version: '2' }]
        } as unknown as IImage['report']
      })
    ];
    this.project = aProject({ active_image_id: 'i1' });
  }

  readonly stateChanged = new Signal<this, void>(this);

  readonly api = {
    projectOf: async () => this.project,
    kernels: async () =>
      this.kernelImage
        ? [{ kernel_id: 'k', image_id: this.kernelImage } as never]
        : [],
    image: async (id: string) => this.images.find(each => each.id === id)!,
    images: async () => this.images,
    builds: async () => this.builds,
    getBuild: async (id: string) => {
      const build = this.builds.find(each => each.id === id);
      if (!build) {
        throw new RequestError('There is no such build.', 404, '', {});
      }
      return build;
    },
    build: async (_: string, request: { add_packages: string[] }) => {
      if (this.refused) {
        throw new Error(this.refused);
      }
      this.asked.push(request);
      const version = 3 + this.asked.length;
      const image = anImage({ id: `i${version}`, version, state: 'building' });
      const build = aBuild({
        id: `b${version}`,
        image_id: image.id,
        state: 'building'
      });
      this.images.push(image);
      this.builds.push(build);
      return build;
    },
    cancel: async (id: string) => {
      this.end(id, 'cancelled');
      return this.builds.find(each => each.id === id)!;
    },
    activate: async (_: string, id: string | null) => {
      this.activated.push(id);
    },
    deleteImage: async (id: string) => {
      this.deleted.push(id);
    }
  };

  end(id: string, state: IBuild['state']): void {
    this.change(id, { state });
    const image = this.builds.find(each => each.id === id)!.image_id;
    this.images = this.images.map(each =>
      each.id === image
        ? { ...each, state: state === 'succeeded' ? 'ready' : 'failed' }
        : each
    );
  }

  change(id: string, changes: Partial<IBuild>): void {
    this.builds = this.builds.map(each =>
      each.id === id ? { ...each, ...changes } : each
    );
  }

  modules(): MissingModules {
    const host: INotebookHost = {
      path: () => 'churn/deep/notebook.ipynb',
      kernelId: () => 'k',
      busy: () => false,
      runs: () => this.runs,
      others: async () => this.others,
      goOn: async cells => {
        this.wentOn.push([...cells]);
        cells.forEach(cell => modules.succeeded(cell));
      }
    };
    const modules: MissingModules = new MissingModules({
      manager: {
        api: this.api,
        stateChanged: this.stateChanged,
        project: this.project,
        server: 'ready',
        engineProblem: '',
        refresh: async () => undefined
      } as unknown as IImageManager,
      contents: {
        get: async (path: string) => ({
          type: 'directory',
          content: (this.files[path] ?? []).map(name => ({ name }))
        })
      } as never,
      host
    });
    return modules;
  }
}

/** Wait until something is so. */
async function until(
  modules: MissingModules,
  so: () => boolean
): Promise<void> {
  while (!so()) {
    await new Promise<void>(resolve => {
      const heard = () => {
        modules.changed.disconnect(heard);
        resolve();
      };
      modules.changed.connect(heard);
    });
  }
}

describe('missing modules', () => {
  let server: Server;
  let modules: MissingModules;
  const [one, two] = [{}, {}];

  beforeEach(() => {
    server = new Server();
    modules = server.modules();
  });

  afterEach(() => modules.dispose());

  it('are added to the active image, in which the notebook goes on by itself', async () => {
    const offer = await modules.look(one, 'cv2');
    expect(offer).toMatchObject({
      kind: 'offer',
      distribution: 'opencv-python-headless',
      base: { id: 'i1' }
    });
    await modules.add(one);
    expect(server.asked).toEqual([
      {
        name: 'scientific',
        from_image: 'i1',
        add_packages: ['opencv-python-headless']
      }
    ]);
    expect(attended.has('b4')).toBe(true);
    server.end('b4', 'succeeded');
    await until(modules, () => offer!.kind === 'done');
    expect(server.activated).toEqual(['i4']);
    expect(server.wentOn).toEqual([[one]]);
    expect(newsOf(offer!, modules, trans)).toBe(
      'This notebook runs in scientific:4 now.'
    );
  });

  it('are told from what lies in the project and from what no package brings', async () => {
    server.files['churn/src'] = ['mine'];
    for (const name of ['helpers', 'mine.part', 'os.path', 'a b']) {
      expect(await modules.look(one, name)).toBeNull();
    }
  });

  it('are offered from the image that has become active meanwhile', async () => {
    const active = server.project;
    server.project = aProject({ active_image_id: null });
    server.kernelImage = '';
    const offer = await modules.look(one, 'numpy');
    expect(offer?.kind).toBe('first');
    server.project = active;
    server.stateChanged.emit();
    await until(modules, () => offer!.kind === 'here');
    await modules.use(one);
    expect(server.wentOn).toEqual([[one]]);
  });

  it('ask first where a restart costs more: other kernels, other work', async () => {
    server.others = 2;
    const offer = await modules.look(one, 'yaml');
    await modules.add(one);
    server.end('b4', 'succeeded');
    await until(modules, () => modules.stage === 'ready');
    expect(server.wentOn).toEqual([]);
    expect(modules.others).toBe(2);
    await modules.use();
    expect(server.wentOn).toEqual([[one]]);
    expect(offer!.kind).toBe('done');

    server.others = 0;
    await modules.look(two, 'six');
    await modules.add(two);
    server.runs += 1;
    server.end('b5', 'succeeded');
    await until(modules, () => modules.stage === 'ready');
    expect(modules.workedOn).toBe(true);
    expect(server.wentOn).toHaveLength(1);
  });

  it('one after another make the version after that; all cells go on in it', async () => {
    await modules.look(one, 'yaml');
    await modules.look(two, 'six');
    await modules.add(one);
    await modules.add(two);
    expect(server.asked[1]).toEqual({
      name: 'scientific',
      from_image: 'i4',
      add_packages: ['six']
    });
    server.end('b4', 'succeeded');
    server.end('b5', 'succeeded');
    await until(modules, () => server.wentOn.length > 0);
    expect(server.wentOn).toEqual([[one, two]]);
    expect(server.activated).toEqual(['i5']);
  });

  it('can be left to a notification, and come back when the cell is run again', async () => {
    await modules.look(one, 'yaml');
    await modules.add(one);
    modules.dismiss(one);
    expect(attended.has('b4')).toBe(false);
    expect((await modules.look(one, 'yaml'))!.kind).toBe('waiting');
    expect(attended.has('b4')).toBe(true);
    server.end('b4', 'succeeded');
    await until(modules, () => server.wentOn.length > 0);
    expect(modules.stage).not.toBe('ready');
  });

  it('join a version whose build has not begun', async () => {
    await modules.look(one, 'yaml');
    await modules.look(two, 'six');
    await modules.add(one);
    server.change('b4', { state: 'queued' });
    await modules.add(two);
    expect(server.asked[1]).toEqual({
      name: 'scientific',
      from_image: 'i1',
      add_packages: ['PyYAML', 'six']
    });
    expect(server.deleted).toEqual(['i4']);
  });

  it('can be cancelled, and asked for again', async () => {
    const offer = await modules.look(one, 'yaml');
    await modules.add(one);
    await modules.cancel();
    await until(modules, () => offer!.kind === 'offer');
    expect(modules.stage).toBe('idle');
    server.refused = 'The quota is used up.';
    await modules.add(one);
    expect(offer).toMatchObject({
      kind: 'offer',
      error: 'The quota is used up.'
    });
  });

  it('are offered again when somebody deletes the version', async () => {
    const offer = await modules.look(one, 'yaml');
    await modules.add(one);
    server.builds = [];
    await until(modules, () => offer!.kind === 'offer');
  });

  it('say why they were not added', async () => {
    const offer = await modules.look(one, 'nosuch');
    expect(offer!.known).toBe(false);
    await modules.add(one);
    const failure = {
      message: 'It failed.',
      code: '',
      instruction: 'RUN',
      step: 4,
      lines: ['No matching distribution'],
      hint: '',
      exit_code: 1
    };
    server.change('b4', { failure });
    server.end('b4', 'failed');
    await until(modules, () => modules.stage === 'failed');
    expect(decisive(modules.build!, trans)).toBe('No matching distribution');
    expect(server.activated).toEqual([]);
    await modules.rename(one, 'other-name');
    expect(offer).toMatchObject({ kind: 'offer', distribution: 'other-name' });
  });

  it('are not added twice', async () => {
    expect((await modules.look(one, 'numpy.nothing'))!.kind).toBe('held');
    server.kernelImage = null;
    const offer = await modules.look(one, 'numpy');
    expect(offer!.kind).toBe('here');
    await modules.use(one);
    expect(server.activated).toEqual([]);
    expect(server.wentOn).toEqual([[one]]);
  });

  it('lead to a first image where there is none', async () => {
    server.project = null;
    server.kernelImage = null;
    expect((await modules.look(one, 'yaml'))!.kind).toBe('first');
  });

  it('are shown as text, with what to do', async () => {
    const place = document.createElement('div');
    document.body.append(place);
    const run = jest.fn();
    await modules.look(one, 'sklearn');
    const root = createRoot(place);
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
    const { act } = React;
    const show = () =>
      root.render(
        <MissingModule
          cell={one}
          modules={modules}
          trans={trans}
          run={run}
          onClosed={() => modules.dismiss(one)}
        />
      );
    act(show);
    expect(place.textContent).toContain('scikit-learn brings sklearn.');
    expect(
      place.querySelector('[data-lm-suppress-shortcuts="true"]')
    ).not.toBeNull();
    await act(() => modules.rename(one, '<img src=x onerror=alert(1)>'));
    expect(place.querySelector('img')).toBeNull();
    expect(place.textContent).toContain('<img src=x onerror=alert(1)>');
    act(() => modules.dismiss(one));
    expect(place.textContent).toBe('');
    act(() => root.unmount());
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  });
});
