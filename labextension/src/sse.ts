import type { IBuild, ILogLine } from './tokens';

/**
 * One event of a text/event-stream.
 */
export interface IServerSentEvent {
  id: string;
  event: string;
  data: string;
}

/**
 * Splits a text/event-stream into events, whatever the borders of its chunks.
 */
export class EventStreamParser {
  /**
   * Take the next chunk and return the events that it completes.
   */
  push(chunk: string): IServerSentEvent[] {
    const events: IServerSentEvent[] = [];
    this._rest += chunk;
    let start = 0;
    for (;;) {
      const end = this._rest.indexOf('\n', start);
      if (end < 0) {
        break;
      }
      let line = this._rest.slice(start, end);
      start = end + 1;
      if (line.endsWith('\r')) {
        line = line.slice(0, -1);
      }
      if (line === '') {
        if (this._data.length) {
          events.push({
            id: this._id,
            event: this._event || 'message',
            data: this._data.join('\n')
          });
        }
        this._data = [];
        this._event = '';
      } else {
        this._field(line);
      }
    }
    this._rest = this._rest.slice(start);
    return events;
  }

  private _field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) {
      return; // a comment: keep-alive
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) {
      value = value.slice(1);
    }
    if (name === 'data') {
      this._data.push(value);
    } else if (name === 'event') {
      this._event = value;
    } else if (name === 'id') {
      this._id = value;
    }
  }

  private _rest = '';
  private _id = '';
  private _event = '';
  private _data: string[] = [];
}

/**
 * The events of an answer, in batches as they arrive.
 */
export async function* readEvents(response: Response, signal: AbortSignal) {
  const parser = new EventStreamParser();
  const decoder = new TextDecoder();
  const reader = response.body!.getReader();
  const abort = () => {
    void reader.cancel().catch(() => undefined);
  };
  signal.addEventListener('abort', abort);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      yield parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

/**
 * Wait, unless it is aborted meanwhile.
 */
export function pause(
  milliseconds: number,
  signal: AbortSignal
): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}

/**
 * What following a log yields.
 */
export type LogEvent =
  | { kind: 'lines'; lines: ILogLine[] }
  | { kind: 'build'; build: IBuild }
  | { kind: 'end'; build: IBuild }
  | { kind: 'lost' }
  | { kind: 'resumed' };

/**
 * How a log is followed.
 */
export interface IFollowOptions {
  /** Number of the last line that is known. */
  after?: number;
  /** Ends the iteration. */
  signal: AbortSignal;
  /** Milliseconds to wait before the first reconnection; doubles up to sixteen times. */
  retryDelay?: number;
}
