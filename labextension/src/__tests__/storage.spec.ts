import { nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { keptWord, storageMenu } from '../storage';
import { dayTotals } from '../usagedays';
import { anImage } from './factory';

const trans = nullTranslator.load('jupyter_image_manager');
const pushed = {
  storage: 'registry',
  repository: 'r/team/geo',
  registry_state: 'present'
} as const;
const commands = (changes: Parameters<typeof anImage>[0]) =>
  storageMenu(anImage(changes)).map(each => each.command);

describe('where an image is kept', () => {
  it('offers what fits', () => {
    expect(commands({})).toEqual([]);
    expect(commands({ ...pushed, optimized: false })).toEqual([
      CommandIDs.optimizeImage,
      CommandIDs.deleteOriginal
    ]);
    expect(commands({ ...pushed, registry_state: 'missing' })).toEqual([
      CommandIDs.unoptimizeImage
    ]);
    expect(commands({ ...pushed, repository: '', optimized: false })).toEqual([
      CommandIDs.pushImage,
      CommandIDs.optimizeImage
    ]);
  });

  it('has a word for what is out of the ordinary', () => {
    expect(keptWord(anImage(), trans)).toBe('');
    expect(keptWord(anImage({ ...pushed, optimized: false }), trans)).toBe('');
    expect(keptWord(anImage(pushed), trans)).toBe('Optimized');
    expect(
      keptWord(anImage({ ...pushed, registry_state: 'missing' }), trans)
    ).toBe('Copy only');
  });

  it('adds up days', () => {
    const day = { project_id: 'p', project: 'p', storage: 'registry' };
    expect(
      dayTotals([
        { ...day, day: '2026-11-02', bytes: 1 },
        { ...day, day: '2026-11-01', bytes: 2 },
        { ...day, day: '2026-11-02', bytes: 3 }
      ])
    ).toEqual([
      { day: '2026-11-01', bytes: 2 },
      { day: '2026-11-02', bytes: 4 }
    ]);
  });
});
