import { diffLines } from '../linediff';

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `RUN ${from + index}`);

describe('a difference of two Dockerfiles', () => {
  it('numbers the lines of both and leaves out what is far from a change', async () => {
    const old = ['FROM a', ...numbered(2, 20), ''].join('\n');
    const now = ['FROM a', ...numbered(2, 9), 'ENV X=1', ...numbered(11, 20)];
    const lines = await diffLines(old, now.join('\n'));
    expect(lines.map(line => line.kind).join(' ')).toBe(
      'gap same same same removed added same same same gap'
    );
    expect(lines[0].count).toBe(6);
    expect(lines[9].count).toBe(7);
    expect(lines[4]).toEqual({
      kind: 'removed',
      old: 10,
      now: null,
      text: 'RUN 10'
    });
    expect(lines[5]).toEqual({
      kind: 'added',
      old: null,
      now: 10,
      text: 'ENV X=1'
    });
    expect(lines[6]).toMatchObject({ old: 11, now: 11, text: 'RUN 11' });
  });

  it('is empty where only the end of the last line differs', async () => {
    expect(await diffLines('FROM a\n', 'FROM a')).toEqual([]);
    expect(await diffLines('FROM a\r\nRUN b', 'FROM a\nRUN b\n\n')).toEqual([]);
  });

  it('begins with nothing', async () => {
    expect(await diffLines('', 'FROM a')).toEqual([
      { kind: 'added', old: null, now: 1, text: 'FROM a' }
    ]);
  });
});
