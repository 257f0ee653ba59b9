import type { ImageManagerAPI } from './api';
import type { IContextPreview } from './recipe';

/**
 * What is sent to the engine as a build's context, and what is left out of it.
 */
export class SentModel {
  constructor(
    private readonly _api: ImageManagerAPI,
    private readonly _projectId: string,
    private readonly _listener: SentModel.IListener
  ) {}

  /** Null while it is not known. */
  get context(): IContextPreview | null {
    return this._context;
  }

  /** Files that were left out here, which can be taken back. */
  get ignored(): ReadonlyArray<string> {
    return this._ignored;
  }

  /**
   * Ask what would be sent.
   *
   * @param folder - Relative to the project; empty: the project's own.
   */
  async show(folder: string): Promise<void> {
    this._folder = folder || undefined;
    await this._take(this._api.context(this._projectId, this._folder));
  }

  /**
   * Leave a file out, or take that back.
   */
  async ignore(file: string, ignored: boolean): Promise<void> {
    const path = this._folder;
    const answer = this._api.ignore(this._projectId, { file, ignored, path });
    if (await this._take(answer)) {
      const others = this._ignored.filter(each => each !== file);
      this._ignored = ignored ? [...others, file] : others;
      this._listener.changed();
    }
  }

  private async _take(answer: Promise<IContextPreview>): Promise<boolean> {
    try {
      this._context = await answer;
      this._listener.changed();
      return true;
    } catch (error) {
      this._listener.failed(error);
      return false;
    }
  }

  private _context: IContextPreview | null = null;
  private _ignored: ReadonlyArray<string> = [];
  private _folder: string | undefined;
}

/**
 * A namespace for who listens to {@link SentModel}.
 */
export namespace SentModel {
  /**
   * Is told what happens.
   */
  export interface IListener {
    changed: () => void;
    failed: (reason: unknown) => void;
  }
}
