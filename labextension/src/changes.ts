import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { IStream } from '@lumino/signaling';

import type { ImageManagerAPI } from './api';

/** Milliseconds between two looks while no events arrive, and while they do. */
const WITHOUT_EVENTS = 1500;
const WITH_EVENTS = 10_000;

/**
 * Milliseconds without any event of the server after which its events are taken to be cut off.
 *
 * #### Notes
 * The file browser alone lets the server emit one each ten seconds.
 */
const SILENCE = 12_000;

/**
 * Notices changes that no event has told: where no web socket passes, or while one is being made again.
 */
export class ChangeWatch implements IDisposable {
  constructor(private readonly _options: ChangeWatch.IOptions) {
    this._poll = new Poll({
      auto: false,
      factory: () => this._look(),
      frequency: { interval: WITHOUT_EVENTS, backoff: true, max: 60_000 },
      name: 'jupyter-image-manager:changes',
      standby: _options.standby
    });
    _options.events?.connect(this._onEvent, this);
    void Promise.resolve(_options.start).then(() => {
      if (!this.isDisposed) {
        void this._poll.start();
      }
    });
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._options.events?.disconnect(this._onEvent, this);
      this._poll.dispose();
    }
  }

  /**
   * Learn how far the changes have come, before anything is read for the first time: what changes after it is then
   * noticed, however soon.
   */
  async begin(): Promise<void> {
    if (this._known < 0) {
      const sequence = await this._options.api.lastChange();
      this._known = Math.max(this._known, sequence);
    }
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    this._lastEvent = Date.now();
    if (
      String(event.schema_id).includes('/jupyter_image_manager/') &&
      typeof event.sequence === 'number'
    ) {
      this._known = Math.max(this._known, event.sequence);
    }
  }

  private async _look(): Promise<void> {
    if (!this._options.isWanted()) {
      return;
    }
    const sequence = await this._options.api.lastChange();
    if (this.isDisposed) {
      return;
    }
    if (sequence > this._known) {
      const first = this._known < 0;
      this._known = sequence;
      if (!first) {
        this._options.onChange();
      }
    }
    const interval =
      Date.now() - this._lastEvent > SILENCE ? WITHOUT_EVENTS : WITH_EVENTS;
    if (this._poll.frequency.interval !== interval) {
      this._poll.frequency = { ...this._poll.frequency, interval };
    }
  }

  private _poll: Poll;
  private _known = -1;
  private _lastEvent = 0;
}

/**
 * A namespace for what {@link ChangeWatch} is made from.
 */
export namespace ChangeWatch {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    api: ImageManagerAPI;
    /** The server's event stream, where there is one. */
    events: IStream<unknown, Event.Emission> | null;
    /** Whether there is a server part to ask. */
    isWanted: () => boolean;
    /** Called for each change that no event has told. */
    onChange: () => void;
    /** When to begin; at once when left out. */
    start?: Promise<unknown>;
    standby: Poll.Standby | (() => boolean | Poll.Standby);
  }
}
