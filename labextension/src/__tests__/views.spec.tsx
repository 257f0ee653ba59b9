import { StateDB } from '@jupyterlab/statedb';
import { nullTranslator } from '@jupyterlab/translation';

import { actionsOf, factOf, toneOf } from '../components/facts';
import { rowsOf } from '../components/images';
import { checkName } from '../components/newimage';
import { metersOf } from '../components/usage';
import { isDockerfile } from '../dockerfile';
import { ListChoice, arranged, passes } from '../listchoice';
import type { ListFilter, ListSort } from '../listchoice';
import { PendingCells, isRemembered, memoryOf } from '../notebooks';
import { VERSION } from '../version';
import { aBuild, anImage } from './factory';

const trans = nullTranslator.load('jupyter_image_manager');

describe('rows', () => {
  const images = [
    anImage({ id: 'b2', name: 'b', version: 2 }),
    anImage({ id: 'a1', name: 'a', version: 1 }),
    anImage({ id: 'b10', name: 'b', version: 10 })
  ];

  it('show the newest version of a name, older ones on request', () => {
    const closed = rowsOf(images, '', new Set());
    expect(closed.map(row => [row.image.id, row.versions])).toEqual([
      ['b10', 2],
      ['a1', 1]
    ]);
    const open = rowsOf(images, '', new Set(['b']));
    expect(open.map(row => [row.image.id, row.level])).toEqual([
      ['b10', 1],
      ['b2', 2],
      ['a1', 1]
    ]);
  });

  it('can be filtered', () => {
    expect(rowsOf(images, ' A ', new Set()).map(row => row.image.id)).toEqual([
      'a1'
    ]);
  });
});

describe('the list', () => {
  const images = [
    anImage({ id: 'b2', name: 'b', version: 2, size: 5 }),
    anImage({ id: 'c1', name: 'c', version: 1, size: 9, state: 'failed' }),
    anImage({ id: 'a1', name: 'a', version: 1, size: 7, warnings: ['Soon.'] }),
    anImage({ id: 'b1', name: 'b', version: 1, size: 20, running_kernels: 1 })
  ];
  const ids = (filter: ListFilter, sort: ListSort) =>
    arranged(images, { filter, sort }).map(image => image.id);

  it('keeps the versions of a name together, in the wanted order', () => {
    expect(ids('all', 'newest')).toEqual(['b2', 'b1', 'c1', 'a1']);
    expect(ids('all', 'name')).toEqual(['a1', 'b2', 'b1', 'c1']);
    expect(ids('all', 'size')).toEqual(['c1', 'a1', 'b2', 'b1']);
  });

  it('can be narrowed by state', () => {
    expect(ids('ready', 'newest')).toEqual(['b2', 'b1', 'a1']);
    expect(ids('used', 'newest')).toEqual(['b1']);
    expect(ids('problems', 'newest')).toEqual(['c1', 'a1']);
    expect(passes(anImage({ active: true }), 'used')).toBe(true);
    expect(passes(anImage({ state: 'building' }), 'problems')).toBe(false);
  });

  it('remembers the choice, and forgives what it cannot read', async () => {
    const state = new StateDB();
    const key = 'jupyter-image-manager:list';
    await state.save(key, { filter: 'used', sort: 'by colour' });
    const choice = new ListChoice(state);
    await new Promise<void>(resolve => {
      choice.changed.connect(() => resolve());
    });
    expect(choice.value).toEqual({ filter: 'used', sort: 'newest' });
    choice.set({ sort: 'size' });
    expect(await state.fetch(key)).toEqual({ filter: 'used', sort: 'size' });
    // What is said before the state is read holds.
    const hasty = new ListChoice(state);
    hasty.set({ sort: 'name' });
    await state.fetch(key);
    expect(hasty.value).toEqual({ filter: 'all', sort: 'name' });
  });
});

describe('facts', () => {
  it('name the one thing that matters now', () => {
    expect(factOf(anImage(), undefined, trans)).toMatch(
      /^Python 3\.11 · 1\.2 GB · /
    );
    const failed = anImage({ state: 'failed' });
    const failure = {
      message: 'It failed.',
      code: '',
      instruction: '',
      step: 5,
      lines: ['no gdal'],
      hint: '',
      exit_code: 1
    };
    expect(factOf(failed, aBuild({ state: 'failed', failure }), trans)).toBe(
      'step 5: no gdal'
    );
    expect(toneOf(failed)).toBe('error');
  });

  it('offer one action, and no deletion of the active image', () => {
    expect(actionsOf(anImage(), trans).action?.label).toBe('Activate');
    const active = actionsOf(anImage({ active: true }), trans);
    expect(active.action).toBeNull();
    expect(active.menu.map(item => item.command)).not.toContain(
      'image-manager:delete-image'
    );
  });
});

describe('room', () => {
  const usage = {
    images: 9,
    ready: 9,
    bytes: 2e9,
    max_images: null,
    max_bytes: null,
    disk_free: 40e9,
    disk_total: 100e9
  };

  it('is told where a quota is set or the disk is short', () => {
    expect(metersOf(usage)).toEqual([]);
    expect(metersOf({ ...usage, max_images: 10, max_bytes: 2e9 })).toEqual([
      { id: 'images', share: 0.9, tone: 'warn' },
      { id: 'bytes', share: 1, tone: 'error' }
    ]);
    expect(metersOf({ ...usage, disk_free: 4e9 })).toMatchObject([
      { id: 'disk', tone: 'warn' }
    ]);
    expect(metersOf({ ...usage, disk_free: 4e9, disk_total: 8e9 })).toEqual([]);
  });
});

describe('names', () => {
  it.each([
    ['scientific', true],
    ['a-b_c.d', true],
    ['', false],
    ['Upper', false],
    ['-x', false],
    ['a b', false]
  ])('%s: %s', (name, fits) => {
    expect(checkName(name, trans) === '').toBe(fits);
  });

  it('of Dockerfiles are recognised', () => {
    for (const name of [
      'Dockerfile',
      'Dockerfile.gpu',
      'gpu.dockerfile',
      'Containerfile'
    ]) {
      expect(isDockerfile(name)).toBe(true);
    }
    expect(isDockerfile('Dockerfile-notes.md')).toBe(false);
  });
});

describe('notebooks', () => {
  it('understand only what the server writes', () => {
    const memory = memoryOf({
      image: 'a:1',
      digest: 'sha256:aa',
      project: 'p'
    });
    expect(memory).toEqual({ image: 'a:1', digest: 'sha256:aa' });
    expect(
      isRemembered(anImage({ name: 'a', digest: 'sha256:aa' }), memory!)
    ).toBe(true);
    expect(
      isRemembered(
        anImage({ name: 'a', digest: '', engine_image: 'sha256:aa' }),
        memory!
      )
    ).toBe(true);
    expect(
      isRemembered(anImage({ name: 'a', digest: 'sha256:bb' }), memory!)
    ).toBe(false);
    expect(isRemembered(null, memory!)).toBe(false);
    for (const other of [null, 'x', {}, { image: 1, digest: 2 }]) {
      expect(memoryOf(other)).toBeNull();
    }
  });

  it('know which cell ran when the kernel died', () => {
    const pending = new PendingCells();
    const notebook = {};
    const cell = (name: string) => ({ name, isDisposed: false }) as never;
    const [one, two, three] = ['1', '2', '3'].map(cell);
    pending.scheduled(notebook, one);
    pending.scheduled(notebook, two);
    pending.scheduled(notebook, three);
    pending.executed(notebook, one);
    expect(pending.take(notebook)).toBe(two);
    expect(pending.take(notebook)).toBeNull();
  });
});

it('has the version of its package', () => {
  expect(jest.requireActual('../../package.json')).toMatchObject({
    version: VERSION
  });
});
