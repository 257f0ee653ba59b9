import { ImageManagerAPI } from '../api';
import type { LogEvent } from '../sse';
import { RequestError } from '../request';
import type { IBuild, ILogLine, IProject } from '../tokens';
import { aBuild, aProject, anImage, json, settingsOf } from './factory';

function line(number: number): ILogLine {
  return {
    number,
    time: number,
    step: 1,
    text: `line ${number}`,
    stream: 'out'
  };
}

// jsdom's typed arrays are not those of Node's Response, so the body is our own.
function stream(...chunks: string[]): Response {
  const encoder = new TextEncoder();
  return {
    ok: true,
    status: 200,
    headers: new Headers({ 'Content-Type': 'text/event-stream' }),
    body: {
      getReader: () => ({
        read: async () => {
          const chunk = chunks.shift();
          return chunk === undefined
            ? { done: true }
            : { done: false, value: encoder.encode(chunk) };
        },
        cancel: async () => undefined
      })
    }
  } as unknown as Response;
}

function sse(event: string, data: unknown, id = 0): string {
  return `${id ? `id: ${id}\n` : ''}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

describe('ImageManagerAPI', () => {
  it('joins the base URL, the namespace and the query', async () => {
    let url = '';
    const api = new ImageManagerAPI(
      settingsOf(request => {
        url = request.url;
        return json(aProject());
      })
    );
    await api.projectOf('a folder/ü.ipynb');
    expect(url).toMatch(
      /^http:\/\/localhost:8888\/base\/image-manager\/v1\/projects\?path=a\+folder%2F%C3%BC\.ipynb/
    );
  });

  it('reads all pages of a list', async () => {
    const pages = [
      json({ items: [anImage({ id: 'a' })], next: 'a' }),
      json({ items: [anImage({ id: 'b' })], next: null })
    ];
    const api = new ImageManagerAPI(settingsOf(() => pages.shift()!));
    expect((await api.images('p1')).map(image => image.id)).toEqual(['a', 'b']);
  });

  it('says null where there is no project, and fails otherwise', async () => {
    const none = new ImageManagerAPI(
      settingsOf(() =>
        json({ message: 'None.', code: 'project_not_found' }, 404)
      )
    );
    expect(await none.projectOf('x')).toBeNull();
    const broken = new ImageManagerAPI(
      settingsOf(() =>
        json({ message: 'The store is locked.', code: 'store_error' }, 500)
      )
    );
    await expect(broken.projectOf('x')).rejects.toThrow('The store is locked.');
  });

  it('carries the code and the details of a refusal', async () => {
    const api = new ImageManagerAPI(
      settingsOf(() =>
        json(
          { message: 'In use.', code: 'image_in_use', details: { by: ['a'] } },
          409
        )
      )
    );
    const error = await api.deleteImage('i1').catch(reason => reason);
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({
      status: 409,
      code: 'image_in_use',
      details: { by: ['a'] }
    });
  });

  it('activates by PUT and goes back by DELETE', async () => {
    const seen: string[] = [];
    const api = new ImageManagerAPI(
      settingsOf(async request => {
        seen.push(`${request.method} ${await request.text()}`);
        return json(aProject());
      })
    );
    await api.activate('p1', 'i1');
    await api.activate('p1', null);
    expect(seen).toEqual(['PUT {"image_id":"i1"}', 'DELETE ']);
  });
});

describe('activating what is new here', () => {
  function activation(end: Partial<IBuild>): Promise<IProject> {
    const check = aBuild({ kind: 'check', state: 'queued' });
    const answers = [
      json(check, 202),
      stream(sse('end', { ...check, ...end })),
      json(aProject({ active_image_id: 'i1' }))
    ];
    const api = new ImageManagerAPI(settingsOf(async () => answers.shift()!));
    return api.activate('p1', 'i1');
  }

  it('waits for the check that activates it', async () => {
    const project = await activation({ state: 'succeeded' });
    expect(project.active_image_id).toBe('i1');
  });

  it('says what the check found missing', async () => {
    const failure = {
      message: 'It lacks pip.',
      code: 'image_unusable',
      instruction: '',
      step: 0,
      lines: [],
      hint: '',
      exit_code: null
    };
    await expect(activation({ state: 'failed', failure })).rejects.toThrow(
      'It lacks pip.'
    );
  });
});

describe('followLog', () => {
  async function collect(
    answers: (() => Response)[]
  ): Promise<{ events: LogEvent[]; after: (string | null)[] }> {
    const after: (string | null)[] = [];
    const api = new ImageManagerAPI(
      settingsOf(request => {
        after.push(new URL(request.url).searchParams.get('after'));
        return answers.shift()!();
      })
    );
    const events: LogEvent[] = [];
    const abort = new AbortController();
    for await (const event of api.followLog('b1', {
      signal: abort.signal,
      retryDelay: 1
    })) {
      events.push(event);
    }
    return { events, after };
  }

  it('yields lines in batches, then the end', async () => {
    const done = aBuild({ state: 'succeeded' });
    const { events } = await collect([
      () =>
        stream(
          sse('line', line(1), 1) + sse('line', line(2), 2),
          sse('end', done)
        )
    ]);
    expect(events).toEqual([
      { kind: 'lines', lines: [line(1), line(2)] },
      { kind: 'end', build: done }
    ]);
  });

  it('resumes after a lost connection without losing or repeating a line', async () => {
    const done = aBuild({ state: 'succeeded' });
    const { events, after } = await collect([
      () => stream(sse('line', line(1), 1), 'id: 2\nevent: line\ndata: {"num'),
      () => {
        throw new TypeError('network');
      },
      () => json({ message: 'Restarting.' }, 503),
      () =>
        stream(
          sse('line', line(1), 1) + sse('line', line(2), 2) + sse('end', done)
        )
    ]);
    expect(after).toEqual(['0', '1', '1', '1']);
    expect(events.map(event => event.kind)).toEqual([
      'lines',
      'lost',
      'resumed',
      'lines',
      'end'
    ]);
    expect(events[3]).toEqual({ kind: 'lines', lines: [line(2)] });
  });

  it('gives up when the server refuses', async () => {
    await expect(
      collect([
        () => json({ message: 'Not yours.', code: 'not_allowed' }, 403),
        () => json({ identity: {} }) // of api/me: who asks is known
      ])
    ).rejects.toThrow('Not yours.');
  });
});

describe('what is not an answer of the server part', () => {
  const ask = async (
    answer: (route: string) => Response | Promise<Response>
  ) => {
    const api = new ImageManagerAPI(
      settingsOf(request => answer(new URL(request.url).pathname))
    );
    const faults: string[] = [];
    api.faulted.connect((_, fault) => faults.push(fault));
    const error: unknown = await api.status().catch(reason => reason);
    return { error, faults };
  };
  const page = (status: number) =>
    new Response('<h1>?</h1>', {
      status,
      headers: { 'Content-Type': 'text/html' }
    });

  it.each([
    ['no answer', 'unreachable', () => Promise.reject(new TypeError('Failed'))],
    ['a proxy without its server', 'unreachable', () => page(503)],
    ['a server that does not run', 'unreachable', () => json({}, 424)],
    ['a server without our routes', 'absent', () => page(404)],
    ['a page to sign in', 'signedOut', () => page(200)],
    ['a cookie that is over', 'signedOut', () => json({ message: 'x' }, 403)],
    ['a token that is over', 'signedOut', () => json({ message: 'x' }, 401)]
  ])('%s is told as %s', async (_, fault, answer) => {
    const { error, faults } = await ask(answer);
    expect(error).toMatchObject({ name: 'ConnectionError', fault });
    expect(faults).toEqual([fault]);
  });

  it('leaves refusals what they are', async () => {
    const denied = json({ message: 'Not you.', code: 'not_allowed' }, 403);
    const { error, faults } = await ask(route =>
      route.endsWith('/api/me') ? json({ identity: {} }) : denied
    );
    expect(error).toMatchObject({ status: 403, message: 'Not you.' });
    const down = json({ message: 'Down.', code: 'engine_unavailable' }, 503);
    expect((await ask(() => down)).error).toBeInstanceOf(RequestError);
    expect(faults).toEqual([]);
  });
});
