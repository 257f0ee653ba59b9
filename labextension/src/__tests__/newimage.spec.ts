import { nullTranslator } from '@jupyterlab/translation';

import { Signal } from '@lumino/signaling';

import { ImageManagerAPI } from '../api';
import { NOTHING, beginningOf, withRequirements } from '../draft';
import type { IBeginning, IDraft } from '../draft';
import { DraftStore } from '../draftstore';
import { NewImageModel } from '../newimagemodel';
import { prospectsOf } from '../prospects';
import type { ILintItem } from '../recipe';
import type { IUsage } from '../tokens';
import { aBuild, aProject, anImage, json, settingsOf } from './factory';

const trans = nullTranslator.load('jupyter_image_manager');
const RENDERED = 'FROM python:3.11\nRUN pip install six\n';
const MEND = { line: 2, end_line: 2, lines: ['RUN better'] };

interface IServer {
  files: Record<string, string>;
  recipe: Record<string, unknown>;
  remarks: unknown[];
}

function storage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const kept = new Map<string, string>();
  return {
    getItem: key => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: key => void kept.delete(key)
  };
}

async function modelOf(
  begin: IBeginning = {},
  server: Partial<IServer> = {},
  kept = storage(),
  early: Partial<IDraft> = {}
) {
  const { files = {}, recipe = {}, remarks = [] } = server;
  const submitted: unknown[] = [];
  const api = new ImageManagerAPI(
    settingsOf(async request => {
      const route = new URL(request.url).pathname.replace(
        '/base/image-manager/v1/',
        ''
      );
      const body = request.method === 'POST' ? await request.json() : {};
      switch (route) {
        case 'templates':
          return json({
            items: [{ name: 'minimal', python: '3.11' }, { name: 'gpu' }]
          });
        case 'templates/render':
          return json({ dockerfile: RENDERED });
        case 'templates/parse':
          return json({
            choices: body.dockerfile.startsWith('# Template')
              ? { name: 'gpu', python: '3.9', requirements: 'torch\n' }
              : null
          });
        case 'templates/environment':
          return json({
            name: 'My env',
            python: '3.10',
            requirements: 'numpy==1.26.*\n',
            left_out: ['cudatoolkit=11.8']
          });
        case 'lint':
          return json({ items: remarks });
        case 'projects/p1/context':
          return json({
            path: '/root/churn',
            files: 1,
            size: 10,
            ignored: 0,
            largest: [],
            limit: 100,
            problems: [],
            dropped: []
          });
        case 'projects/p1/builds':
          submitted.push(body);
          return body.name === 'refused'
            ? json({ message: 'No room.', code: 'quota_exceeded' }, 409)
            : body.reference === 'no/such'
              ? json({ message: 'No.', code: 'invalid_reference' }, 400)
              : json(aBuild(), 202);
        case 'images/i1':
          return json(anImage());
        case 'images/i1/recipe':
          return json(recipe);
      }
      throw new Error(route);
    })
  );
  const model = new NewImageModel({
    manager: {
      api,
      images: [],
      builds: [],
      server: 'ready',
      stateChanged: new Signal({})
    } as never,
    project: aProject(),
    begin,
    store: new DraftStore('p1', kept),
    files: async () => Object.keys(files).filter(name => !/\//.test(name)),
    read: async path => {
      if (!(path in files)) {
        throw new Error(`${path} is not there.`);
      }
      return files[path];
    },
    trans
  });
  model.set(early);
  await until(model, () => model.ready && model.sent.context !== null);
  return { model, submitted, kept };
}

function until(model: NewImageModel, holds: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (holds()) {
        model.stateChanged.disconnect(look);
        resolve();
      }
    };
    model.stateChanged.connect(look);
    look();
  });
}

describe('the page of a new image begins', () => {
  it('with the folder, also when somebody types before that is known', async () => {
    const { model, kept } = await modelOf(
      {},
      { files: { Dockerfile: 'FROM x\n' } },
      storage(),
      { name: 'typed' }
    );
    expect(model.draft).toMatchObject({ name: 'typed', source: 'dockerfile' });
    expect(model.continued).toBe(false);
    expect(new DraftStore('p1', kept).load()).toMatchObject({ name: 'typed' });
  });

  it('with what its command says', () => {
    expect(
      beginningOf({ file: 'a/Dockerfile', packages: '', name: 3 })
    ).toMatchObject({ source: 'dockerfile', file: 'a/Dockerfile' });
    expect(beginningOf({ requirements_file: 'r.txt' }).requirementsFile).toBe(
      'r.txt'
    );
  });

  it('with a Dockerfile of the project', async () => {
    const { model, submitted } = await modelOf(
      { source: 'dockerfile', file: 'sub/Dockerfile' },
      { files: { 'sub/Dockerfile': 'FROM a\n' } }
    );
    await until(model, () => model.text === 'FROM a\n');
    await model.submit(false);
    expect(submitted).toEqual([
      {
        name: 'churn',
        activate: true,
        confirm_context: false,
        dockerfile_path: 'sub/Dockerfile'
      }
    ]);
    model.set({ text: 'FROM b\n' });
    expect(model.changed).toBe(true);
    await model.submit(false);
    expect(submitted[1]).toMatchObject({ dockerfile_text: 'FROM b\n' });
  });

  it('with the packages of a file, each once', async () => {
    const { model } = await modelOf(
      { source: 'template', requirementsFile: 'r.txt' },
      { files: { 'r.txt': 'six\nsix\n# note\nsix==1.16.0\nnumpy' } }
    );
    expect(model.draft.requirements).toBe('six==1.16.0\n# note\nnumpy\n');
  });

  it('with an environment file, and says what is left out', async () => {
    const { model } = await modelOf(
      { environmentFile: 'environment.yml' },
      { files: { 'environment.yml': 'x' } }
    );
    expect(model.draft).toMatchObject({
      name: 'my-env',
      source: 'template',
      python: '3.10',
      requirements: 'numpy==1.26.*\n'
    });
    expect(model.notes[0]).toContain('cudatoolkit=11.8');
  });

  it('with the recipe of another image', async () => {
    const one = await modelOf(
      { duplicate: 'i1' },
      { recipe: { dockerfile: '# Template: gpu', context_path: 'sub' } }
    );
    expect(one.model.draft).toMatchObject({
      name: 'scientific',
      source: 'template',
      template: 'gpu',
      python: '3.9',
      context: 'sub'
    });
    const other = await modelOf(
      { duplicate: 'i1' },
      { recipe: { dockerfile: 'FROM z\n' } }
    );
    expect(other.model.draft.source).toBe('dockerfile');
    expect(other.model.text).toBe('FROM z\n');
    const none = await modelOf(
      { duplicate: 'i1' },
      { recipe: { dockerfile: '', reference: '' } }
    );
    expect(none.model.error).toContain('archive');
  });

  it('empty, with the reason, where a file cannot be read', async () => {
    const { model } = await modelOf({ requirementsFile: 'gone.txt' });
    expect(model.error).toContain('gone.txt is not there.');
    expect(model.draft.template).toBe('minimal');
  });
});

describe('what was typed', () => {
  it('is there again after a reload, until it is submitted', async () => {
    const { model, kept } = await modelOf();
    expect(model.continued).toBe(false);
    model.set({ name: 'mine', env: [['A', 'b']] });
    const again = await modelOf({}, {}, kept);
    expect(again.model.continued).toBe(true);
    expect(again.model.draft).toMatchObject({
      name: 'mine',
      env: [['A', 'b']]
    });
    again.model.set({ name: 'refused' });
    expect(await again.model.submit(false)).toBeNull();
    expect(again.model.error).toBe('No room.');
    expect((await modelOf({}, {}, kept)).model.continued).toBe(true);
    again.model.set({ name: 'mine' });
    expect(await again.model.submit(false)).not.toBeNull();
    expect((await modelOf({}, {}, kept)).model.continued).toBe(false);
  });

  it('is not kept before anything is typed, and can be given up', async () => {
    const { kept, model } = await modelOf();
    expect((await modelOf({}, {}, kept)).model.continued).toBe(false);
    model.set({ name: 'mine' });
    model.startOver();
    await until(model, () => model.draft.name === 'churn');
    expect((await modelOf({}, {}, kept)).model.continued).toBe(false);
  });

  it('is offered where the page begins with something else', async () => {
    const { kept, model } = await modelOf();
    model.set({ name: 'mine' });
    const other = await modelOf({ packages: 'six' }, {}, kept);
    expect(other.model.continued).toBe(false);
    expect(other.model.draft.requirements).toBe('six\n');
    other.model.goBackToDraft();
    expect(other.model.draft.name).toBe('mine');
    expect(other.model.other).toBeNull();
  });

  it('is read with care', () => {
    const kept = storage();
    const key = 'jupyter-image-manager:draft:p1';
    const store = new DraftStore('p1', kept);
    for (const bad of ['{', '1', 'null', '{"name": 1}', '{"env": [[1]]}']) {
      kept.setItem(key, bad);
      expect(store.load()).toBeNull();
    }
    kept.setItem(key, '{"name": "a"}');
    expect(store.load()).toEqual({ ...NOTHING, name: 'a' });
    const full = new DraftStore('p1', {
      ...kept,
      setItem: () => {
        throw new DOMException('full', 'QuotaExceededError');
      }
    });
    expect(full.save(NOTHING)).toBe(false);
  });
});

describe('form and Dockerfile', () => {
  it('are two views of one thing', async () => {
    const { model } = await modelOf();
    await until(model, () => model.text === RENDERED);
    model.toDockerfile();
    expect(model.draft).toMatchObject({ source: 'dockerfile', file: '' });
    expect(model.text).toBe(RENDERED);
    // What a template says goes back without a question.
    model.set({ text: '# Template: gpu' });
    await model.toTemplate();
    expect(model.draft).toMatchObject({ source: 'template', template: 'gpu' });
    expect(model.leaving).toBeNull();
  });

  it('say what would be lost on the way back', async () => {
    const { model } = await modelOf();
    await until(model, () => model.text === RENDERED);
    model.editAsText();
    model.set({ text: `${RENDERED}RUN make\n` });
    await model.toTemplate();
    expect(model.leaving).toEqual(['RUN make']);
    expect(model.draft.source).toBe('dockerfile');
    model.leave(false);
    expect(model.draft.text).toContain('RUN make');
    await model.toTemplate();
    model.leave(true);
    expect(model.draft).toMatchObject({ source: 'template', text: null });
  });

  it('leave a file of the project as it is', async () => {
    const { model } = await modelOf({}, { files: { Dockerfile: 'FROM a\n' } });
    expect(model.draft.source).toBe('dockerfile');
    await model.toTemplate();
    expect(model.draft.source).toBe('template');
    model.toDockerfile();
    expect(model.draft.file).toBe('Dockerfile');
  });

  it('take a mend', async () => {
    const remark = {
      line: 2,
      level: 'warning' as const,
      message: 'Bad.',
      about: '' as const,
      mend: MEND
    };
    const { model } = await modelOf({}, { remarks: [remark] });
    await until(model, () => model.remarks.length === 1);
    model.mend(model.remarks[0]);
    expect(model.draft.source).toBe('dockerfile');
    expect(model.text).toBe('FROM python:3.11\nRUN better\n');
  });
});

describe('what is neither form nor Dockerfile', () => {
  const said = { name: 'mine', activate: true, confirm_context: false };

  it('is an image elsewhere; its refusal is said at the field', async () => {
    const { model, submitted, kept } = await modelOf();
    model.set({ name: 'mine' });
    model.toOther('import');
    expect(model.isBegun).toBe(false);
    model.set({ reference: ' no/such' });
    expect(model.isBegun).toBe(true);
    expect(await model.submit(false)).toBeNull();
    expect([model.refusal, model.error]).toEqual(['No.', '']);
    // What was typed outlives the page.
    const again = await modelOf({}, {}, kept);
    expect(again.model.draft).toMatchObject({
      source: 'import',
      reference: ' no/such'
    });
    model.set({ reference: 'debian:12', storage: 'local' });
    expect(model.refusal).toBe('');
    await model.submit(false);
    expect(submitted.pop()).toEqual({
      ...said,
      reference: 'debian:12',
      storage: 'local'
    });
  });

  it('is an image of the project, with packages beside its own', async () => {
    const { model, submitted } = await modelOf(
      {},
      { recipe: { dockerfile: 'FROM old\n', kind: 'dockerfile' } }
    );
    model.set({ name: 'mine' });
    model.toOther('duplicate');
    expect(model.draft.original).toBe('');
    expect(model.isBegun).toBe(false);
    model.set({ original: 'i1', additions: 'six\n\n polars>=1 ' });
    await until(model, () => model.text === 'FROM old\n');
    await model.submit(false);
    expect(submitted.pop()).toEqual({
      ...said,
      from_image: 'i1',
      add_packages: ['six', 'polars>=1']
    });
    await model.editRecipe();
    expect(model.draft).toMatchObject({
      source: 'dockerfile',
      text: 'FROM old\n',
      name: 'mine'
    });
  });

  it('is an archive in the project, or anywhere on the server', async () => {
    const { model, submitted } = await modelOf();
    model.set({ name: 'mine' });
    model.toOther('archive');
    for (const [typed, path] of [
      ['data/image.tar', '/root/churn/data/image.tar'],
      ['/srv/image.tar', '/srv/image.tar']
    ]) {
      model.set({ archive: typed });
      await model.submit(false);
      expect(submitted.pop()).toEqual({ ...said, archive: path });
    }
  });
});

describe('whether it will work', () => {
  const remark = {
    line: 1,
    level: 'warning' as const,
    message: 'Bad.',
    about: 'versions' as const
  };
  const toneOf = (remarks: ILintItem[], usage: IUsage | null = null) =>
    Object.fromEntries(
      prospectsOf(remarks, usage, trans).map(each => [each.id, each.tone])
    );

  it('is told by what was looked at, with the mend where there is one', () => {
    expect(toneOf([])).toEqual({
      python: 'ok',
      user: 'ok',
      files: 'ok',
      versions: 'ok',
      secrets: 'ok',
      order: 'ok'
    });
    const mendable = { ...remark, line: 2, mend: MEND };
    const missing = {
      ...remark,
      about: 'files' as const,
      level: 'error' as const
    };
    const all = [remark, mendable, missing, { ...remark, about: '' as const }];
    expect(toneOf(all)).toMatchObject({ versions: 'warn', files: 'error' });
    expect(
      prospectsOf(all, null, trans).find(each => each.id === 'versions')!.mend
    ).toBe(mendable);
  });

  it('depends on the room that is left', () => {
    const usage = { disk_free: 40e9 } as IUsage;
    expect(toneOf([], usage).room).toBe('ok');
    expect(toneOf([], { ...usage, disk_free: 1e9 }).room).toBe('warn');
  });
});

it('packages are joined, each once', () => {
  expect(withRequirements('', '')).toBe('');
  expect(withRequirements('a==1\nb\n', 'A\nb==2\n\nc\n--pre\n--pre')).toBe(
    'a==1\nb==2\nc\n--pre\n'
  );
});
