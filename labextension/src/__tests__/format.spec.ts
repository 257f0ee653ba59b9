import { nullTranslator } from '@jupyterlab/translation';

import {
  buildStep,
  buildTime,
  formatAbout,
  formatClock,
  formatDate,
  formatSize,
  progress
} from '../format';
import { aBuild } from './factory';

const trans = nullTranslator.load('jupyter_image_manager');
const at = (seconds: number) =>
  Date.parse('2026-11-01T10:00:00.000Z') + seconds * 1000;

describe('format', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [345_678, '346 kB'],
    [1_234_567_890, '1.2 GB'],
    [999_960_000, '1.0 GB']
  ])('%d bytes: %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('writes numbers and dates in the language of the page', () => {
    document.documentElement.lang = 'ru-RU';
    try {
      expect(formatSize(1_234_567_890)).toMatch(/^1,2\sГБ$/);
      expect(formatDate('2024-11-20T12:00:00Z')).toMatch(/^20 нояб\. 2024/);
    } finally {
      document.documentElement.lang = '';
    }
  });

  it('writes durations as a clock and as about', () => {
    expect(formatClock(72.9)).toBe('1:12');
    expect(formatClock(3723)).toBe('1:02:03');
    expect(formatAbout(42, trans)).toBe('about 40 s');
    expect(formatAbout(170, trans)).toBe('about 3 min');
  });

  it('tells how far a build is', () => {
    const build = aBuild({ estimate: 180 });
    expect(buildTime(build, trans, at(72))).toBe('1:12 of about 3 min');
    expect(buildTime(build, trans, at(300))).toBe(
      '5:00, longer than the usual 3:00'
    );
    expect(buildStep(build, trans)).toBe('step 2 of 5');
    expect(progress(build, at(90))).toBeCloseTo(0.5);
    expect(progress(build, at(9999))).toBe(0.97);
    expect(progress(aBuild({ state: 'queued' }))).toBeNull();
  });
});
