import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { plainText } from './ansi';
import type { ImageManagerAPI } from './api';
import { isDone } from './format';
import type { BuildState, IBuild, ILogLine } from './tokens';

/**
 * One step of a build, as far as the log tells.
 */
export interface ILogStep {
  /** Of the recipe, from 1; 0 for what is done with the built image. */
  number: number;
  /** The instruction, or what is done with the built image. */
  title: string;
  /** Index of its first line. */
  index: number;
  /** Seconds since the build started. */
  start: number;
  /** Seconds; null while it runs. */
  seconds: number | null;
  cached: boolean;
}

/**
 * What is done with an image once its recipe has been carried out; the server writes such a line when it begins.
 */
const PHASES: string[] = [
  'checking',
  'saving',
  'pushing'
] satisfies BuildState[];

/**
 * A build's log, followed to its end.
 */
export class LogModel implements IDisposable {
  /**
   * Construct a model; it begins to follow at once.
   */
  constructor(options: LogModel.IOptions) {
    this._api = options.api;
    this._build = options.build;
    void this._follow();
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get build(): IBuild {
    return this._build;
  }

  /** The lines so far; the array grows in place. */
  get lines(): ReadonlyArray<ILogLine> {
    return this._lines;
  }

  get steps(): ReadonlyArray<ILogStep> {
    return this._steps;
  }

  /** Whether the connection is lost and being made again. */
  get lost(): boolean {
    return this._lost;
  }

  /** Why the log cannot be shown; empty otherwise. */
  get error(): string {
    return this._error;
  }

  /** Whether the last line is here. */
  get complete(): boolean {
    return this._complete;
  }

  /** The address of the whole log as text. */
  get url(): string {
    return this._api.logURL(this._build.id);
  }

  get isDisposed(): boolean {
    return this._abort.signal.aborted;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._abort.abort();
    Signal.clearData(this);
  }

  /**
   * The indices of lines that hold a text, whatever its case.
   */
  search(text: string): number[] {
    const wanted = text.toLowerCase();
    const hits: number[] = [];
    if (wanted) {
      this._lines.forEach((line, index) => {
        if (plainText(line.text).toLowerCase().includes(wanted)) {
          hits.push(index);
        }
      });
    }
    return hits;
  }

  /**
   * The indices of the decisive lines of a failed build.
   */
  decisive(): number[] {
    const wanted = new Set(
      this._build.failure?.lines
        .map(line => plainText(line).trim())
        .filter(Boolean)
    );
    const hits: number[] = [];
    for (
      let index = this._lines.length - 1;
      index >= 0 && wanted.size;
      index--
    ) {
      const text = plainText(this._lines[index].text).trim();
      if (wanted.delete(text)) {
        hits.unshift(index);
      }
    }
    return hits;
  }

  private async _follow(): Promise<void> {
    try {
      for await (const event of this._api.followLog(this._build.id, {
        signal: this._abort.signal
      })) {
        if (this.isDisposed) {
          return;
        }
        switch (event.kind) {
          case 'lines':
            for (const line of event.lines) {
              this._add(line);
            }
            break;
          case 'build':
            this._build = event.build;
            break;
          case 'end':
            this._build = event.build;
            this._complete = true;
            this._closeStep(this._lines[this._lines.length - 1]?.time ?? 0);
            break;
          case 'lost':
            this._lost = true;
            break;
          case 'resumed':
            this._lost = false;
            break;
        }
        this._changed();
      }
    } catch (error) {
      this._error = error instanceof Error ? error.message : String(error);
      this._changed();
    }
  }

  private _add(line: ILogLine): void {
    const last = this._steps[this._steps.length - 1];
    const phase = line.stream === 'meta' && PHASES.includes(line.text);
    if (phase || (line.step > 0 && line.step !== last?.number)) {
      this._closeStep(line.time);
      this._steps.push({
        number: phase ? 0 : line.step,
        title: phase ? line.text : stepTitle(plainText(line.text)),
        index: this._lines.length,
        start: line.time,
        seconds: null,
        cached: false
      });
    } else if (
      last &&
      /^(---> Using cache|unchanged since an earlier build|.*\bCACHED\b)/.test(
        plainText(line.text).trim()
      )
    ) {
      last.cached = true;
    }
    this._lines.push(line);
  }

  private _closeStep(time: number): void {
    const last = this._steps[this._steps.length - 1];
    if (last && last.seconds === null) {
      last.seconds = Math.max(0, time - last.start);
    }
  }

  private _changed(): void {
    // A fast log brings hundreds of batches a second; a screen shows sixty.
    if (this._scheduled) {
      return;
    }
    this._scheduled = true;
    requestAnimationFrame(() => {
      this._scheduled = false;
      if (!this.isDisposed) {
        this._stateChanged.emit();
      }
    });
  }

  private _api: ImageManagerAPI;
  private _build: IBuild;
  private _lines: ILogLine[] = [];
  private _steps: ILogStep[] = [];
  private _lost = false;
  private _error = '';
  private _complete = false;
  private _scheduled = false;
  private _abort = new AbortController();
  private _stateChanged = new Signal<this, void>(this);
}

/**
 * A namespace for what {@link LogModel} is made from.
 */
export namespace LogModel {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    api: ImageManagerAPI;
    build: IBuild;
  }
}

/**
 * What a step does, from its first line: `Step 3/8 : RUN pip install` or `[2/5] RUN pip install`.
 */
export function stepTitle(text: string): string {
  return text
    .replace(/^Step \d+(\/\d+)?\s*:\s*/, '')
    .replace(/^(#\d+\s+)?\[[^\]]*\d+\/\d+\]\s*/, '')
    .trim();
}

/**
 * Whether a build of a log has ended without success.
 */
export function hasFailed(build: IBuild): boolean {
  return isDone(build) && build.state !== 'succeeded';
}
