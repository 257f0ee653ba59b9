import {
  instructionOf,
  sharedOf,
  sharers,
  shortInstruction
} from '../components/layers';
import { conditionsOf, worksHere } from '../components/verdict';
import { versionBefore } from '../components/versions';
import { dockerfileOf } from '../imagemodel';
import type { IImageDetails, IRecipe } from '../imagemodel';
import { nullTranslator } from '@jupyterlab/translation';
import type { ICheckItem, IStatus } from '../tokens';
import { anImage } from './factory';

const trans = nullTranslator.load('jupyter_image_manager');

function item(changes: Partial<ICheckItem> = {}): ICheckItem {
  return {
    id: 'pip',
    title: 'pip',
    ok: true,
    required: true,
    message: '',
    cure: [],
    seconds: 0,
    ...changes
  };
}

function checked(items: ICheckItem[]): IImageDetails {
  const report = {
    ok: true,
    items,
    python_version: '3.11.9',
    os_name: '',
    ipykernel: '',
    packages: [],
    layers: []
  };
  return { ...anImage({ held: true }), report };
}

const amd64 = { engine: { architecture: 'amd64' } } as IStatus;

describe('whether an image works here', () => {
  it('is yes when machine, engine and check say so', () => {
    const image = checked([item(), item({ ok: false, required: false })]);
    expect(worksHere(image, conditionsOf(image, amd64))).toBe(true);
  });

  it('is no for another architecture, an image that is gone, or one that lacks something', () => {
    const arm64 = { engine: { architecture: 'arm64' } } as IStatus;
    const image = checked([item()]);
    expect(worksHere(image, conditionsOf(image, arm64))).toBe(false);
    const gone = { ...image, held: false };
    expect(worksHere(gone, conditionsOf(gone, amd64))).toBe(false);
    const lacking = checked([item({ ok: false })]);
    expect(worksHere(lacking, conditionsOf(lacking, null))).toBe(false);
  });

  it('is not known while the engine does not answer, or without a check', () => {
    const image = { ...checked([item()]), held: null };
    expect(worksHere(image, conditionsOf(image, null))).toBeNull();
    const unchecked = { ...anImage({ held: true }), report: null };
    expect(worksHere(unchecked, conditionsOf(unchecked, amd64))).toBeNull();
  });
});

describe('layers', () => {
  const layer = (created_by: string, size = 1, shared_with: string[] = []) => ({
    created_by,
    size,
    shared_with
  });

  it.each([
    ['/bin/sh -c #(nop)  ENV A=1', 'ENV A=1', 'ENV A=1'],
    [
      'RUN /bin/sh -c pip install --no-cache-dir -q numpy  pandas # buildkit',
      'RUN pip install --no-cache-dir -q numpy  pandas',
      'numpy pandas'
    ],
    [
      '/bin/sh -c #(nop) COPY dir:e63502bb3b1133985d563cb8 in /usr/local ',
      'COPY dir in /usr/local',
      'COPY dir in /usr/local'
    ],
    ['', '', '']
  ])('%j is told by its instruction', (text, instruction, short) => {
    expect(instructionOf(layer(text))).toBe(instruction);
    expect(shortInstruction(layer(text))).toBe(short);
  });

  it('are summed up over those that are shared', () => {
    const layers = [
      layer('', 100, ['a:1', 'b:1']),
      layer('', 10, ['a:1']),
      layer('', 1)
    ];
    expect(sharedOf(layers)).toEqual({ bytes: 110, images: 2 });
    expect(sharedOf([])).toEqual({ bytes: 0, images: 0 });
  });

  it('name some of those that share them', () => {
    expect(sharers([], trans)).toBe('only in this image');
    expect(sharers(['a:1', 'b:1', 'c:1', 'd:1', 'e:1'], trans)).toBe(
      'shared with a:1, b:1, c:1 and 2 more'
    );
  });
});

describe('versions', () => {
  it('are compared with the one before whose packages are known', () => {
    const [four, three, two, one] = [4, 3, 2, 1].map(version =>
      anImage({ version, state: version === 3 ? 'failed' : 'ready' })
    );
    const all = [four, three, two, one];
    expect(versionBefore(four, all)).toBe(two);
    expect(versionBefore(one, all)).toBeNull();
  });

  it('are given again by a Dockerfile, but for an archive', () => {
    const recipe = (changes: Partial<IRecipe>) => ({
      kind: 'import',
      dockerfile: '',
      reference: '',
      secrets: [],
      dockerfile_path: '',
      context_size: 0,
      context_files: 0,
      ...changes
    });
    expect(dockerfileOf(recipe({ dockerfile: 'FROM a\n' }))).toBe('FROM a\n');
    expect(dockerfileOf(recipe({ reference: 'b@sha256:1' }))).toBe(
      'FROM b@sha256:1\n'
    );
    expect(dockerfileOf(recipe({ kind: 'archive', reference: 'b.tar' }))).toBe(
      ''
    );
  });
});
