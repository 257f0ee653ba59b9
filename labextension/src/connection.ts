import type { ImageManagerAPI } from './api';
import { ConnectionError, RequestError } from './request';
import type { IImageManager, ServerState } from './tokens';
import { sameVersion } from './version';

/** Milliseconds between two looks at a server that does not answer, or does not know who asks. */
const LOST = 3_000;

/** The same for a server part that is gone, and for one that never was there or is another. */
const GONE = 10_000;
const NEVER = 300_000;

/** Milliseconds after which the server part is asked again which version it is of. */
const FRESH = 60_000;

/**
 * Whether the server part can be talked to, and why not.
 */
export class Connection {
  /**
   * @param _api - The REST client.
   * @param _expected - The version of this front end.
   */
  constructor(
    private readonly _api: ImageManagerAPI,
    private readonly _expected: string
  ) {}

  get state(): ServerState {
    return this._state;
  }

  /** Whether the server part has answered once, in the version of this page. */
  get known(): boolean {
    return this._known;
  }

  /** Version of the server part, when it answered. */
  get serverVersion(): string {
    return this._version;
  }

  /** What the server says about its engine; empty when all is well. */
  get engineProblem(): string {
    return this._engineProblem;
  }

  /** Milliseconds until it should be looked at again; null while all is well. */
  get interval(): number | null {
    switch (this._state) {
      case 'unreachable':
      case 'signedOut':
        return LOST;
      case 'absent':
        return this._known ? GONE : NEVER;
      case 'mismatch':
        return NEVER;
      default:
        return null;
    }
  }

  /**
   * Ask the server part which version it is of, unless that is known. Returns whether it can be talked to.
   */
  async greet(): Promise<boolean> {
    if (this._state !== 'ready' || Date.now() - this._greeted > FRESH) {
      const status = await this._api.status();
      this._greeted = Date.now();
      this._version = status.version;
      this._engineProblem = status.engine.ok ? '' : status.engine.message;
      this._state = sameVersion(status.version, this._expected)
        ? 'ready'
        : 'mismatch';
      this._known = this._known || this._state === 'ready';
    }
    return this._state === 'ready';
  }

  /**
   * Ask something that only the engine knows; while it does not answer, what the store knows is shown all the same.
   */
  async ofEngine<T>(asked: Promise<T>, without: T): Promise<T> {
    try {
      const answer = await asked;
      this._engineProblem = '';
      return answer;
    } catch (error) {
      if (error instanceof RequestError && error.status >= 502) {
        this._engineProblem = error.message;
        return without;
      }
      throw error;
    }
  }

  /**
   * Learn from a failure. Returns its sentence, or nothing when the state says it all.
   */
  failed(error: unknown): string {
    if (error instanceof ConnectionError) {
      this._state = error.fault;
      return '';
    }
    return error instanceof Error ? error.message : String(error);
  }

  private _state: ServerState = 'unknown';
  private _known = false;
  private _version = '';
  private _engineProblem = '';
  private _greeted = 0;
}

/**
 * Call a function each time that the server part can be talked to again.
 *
 * @param owner - Who disconnects as a receiver when it is disposed.
 */
export function whenBack(
  owner: object,
  manager: IImageManager,
  back: () => void
): void {
  let away = manager.server !== 'ready';
  const look = () => {
    const now = manager.server !== 'ready';
    if (away && !now) {
      back();
    }
    away = now;
  };
  manager.stateChanged.connect(look, owner);
}
