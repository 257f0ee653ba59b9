import { ImageManagerAPI } from '../api';
import { LogModel, stepTitle } from '../logmodel';
import type { ILogLine } from '../tokens';
import { aBuild, settingsOf } from './factory';

const PHASES = ['checking'];

async function modelOf(
  texts: [number, string][],
  changes = {}
): Promise<LogModel> {
  const lines: ILogLine[] = texts.map(([step, text], index) => ({
    number: index + 1,
    time: index,
    step,
    text,
    stream: PHASES.includes(text) ? 'meta' : 'out'
  }));
  const build = aBuild({ state: 'failed', ...changes });
  const body =
    lines
      .map(
        line =>
          `id: ${line.number}\nevent: line\ndata: ${JSON.stringify(line)}\n\n`
      )
      .join('') + `event: end\ndata: ${JSON.stringify(build)}\n\n`;
  const model = new LogModel({
    api: new ImageManagerAPI(settingsOf(() => new Response(body))),
    build
  });
  while (!model.complete) {
    await new Promise<void>(resolve => {
      model.stateChanged.connect(() => resolve());
    });
  }
  return model;
}

describe('LogModel', () => {
  it('tells steps, their titles, times and whether they were cached', async () => {
    const model = await modelOf([
      [0, 'Sending the context'],
      [1, 'Step 1/2 : FROM base'],
      [1, ' ---> Using cache'],
      [2, 'Step 2/2 : RUN false'],
      [2, 'no'],
      [0, 'checking']
    ]);
    expect(model.steps).toMatchObject([
      { number: 1, title: 'FROM base', index: 1, seconds: 2, cached: true },
      { number: 2, title: 'RUN false', index: 3, seconds: 2, cached: false },
      { number: 0, title: 'checking', index: 5, seconds: 0, cached: false }
    ]);
    model.dispose();
  });

  it('searches without regard to case or colour', async () => {
    const model = await modelOf([
      [1, '\x1b[31mERR\x1b[0mOR: one'],
      [1, 'fine'],
      [1, 'error: two']
    ]);
    expect(model.search('error')).toEqual([0, 2]);
    expect(model.search('')).toEqual([]);
    model.dispose();
  });

  it('finds the decisive lines of the failure, the last of each', async () => {
    const failure = {
      message: 'It failed.',
      code: 'build_failed',
      instruction: 'RUN x',
      step: 1,
      lines: ['ERROR: no such thing'],
      hint: '',
      exit_code: 1
    };
    const model = await modelOf(
      [
        [1, 'ERROR: no such thing'],
        [1, 'again'],
        [1, '\x1b[91mERROR: no such thing\x1b[0m']
      ],
      { failure }
    );
    expect(model.decisive()).toEqual([2]);
    model.dispose();
  });
});

describe('stepTitle', () => {
  it.each([
    ['Step 3/8 : RUN pip install', 'RUN pip install'],
    ['#7 [2/5] RUN pip install', 'RUN pip install'],
    ['[stage-1 2/5] COPY . .', 'COPY . .'],
    ['FROM base', 'FROM base']
  ])('%s', (text, title) => {
    expect(stepTitle(text)).toBe(title);
  });
});
