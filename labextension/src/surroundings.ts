import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { ImageManagerAPI } from './api';
import type { IImage, IProject, ISystemImage, IUsage } from './tokens';

/**
 * Milliseconds after which they are asked for again when nothing has changed.
 */
const INTERVAL = 60_000;

/**
 * What lies around a project's images: system images, and the room that is left.
 *
 * #### Notes
 * The server asks the engine for them, so they are neither waited for nor asked for at each look.
 */
export class Surroundings {
  /**
   * @param _api - The REST client.
   */
  constructor(private readonly _api: ImageManagerAPI) {}

  /** Emitted when something new is known. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** First the server environment; empty while they are not known. */
  get systemImages(): ReadonlyArray<ISystemImage> {
    return this._systemImages;
  }

  /** Of the project that was looked around last; null while it is not known. */
  get usage(): IUsage | null {
    return this._usage;
  }

  /**
   * Ask, when the images are others than before or some time has passed.
   */
  async look(
    project: IProject | null,
    images: ReadonlyArray<IImage>
  ): Promise<void> {
    if (project?.id !== this._project) {
      this._usage = null;
    }
    this._project = project?.id;
    if (!project) {
      return;
    }
    const key = [
      project.id,
      ...images.map(image => `${image.id} ${image.state}`)
    ].join();
    const now = Date.now();
    if (key === this._key && now - this._asked < INTERVAL) {
      return;
    }
    this._key = key;
    this._asked = now;
    const [usage, system] = await Promise.allSettled([
      this._api.usage(project.id),
      this._api.systemImages()
    ]);
    if (key !== this._key || project.id !== this._project) {
      return; // another project came to the front meanwhile
    }
    // What could not be told stays as it was; the next look asks again.
    if (usage.status === 'fulfilled') {
      this._usage = usage.value;
    }
    if (system.status === 'fulfilled') {
      this._systemImages = system.value;
    }
    this._changed.emit();
  }

  private _systemImages: ISystemImage[] = [];
  private _usage: IUsage | null = null;
  private _project: string | undefined;
  private _key = '';
  private _asked = 0;
  private _changed = new Signal<this, void>(this);
}
