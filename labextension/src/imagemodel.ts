import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { whenBack } from './connection';
import { ConnectionError, RequestError, messageOf } from './request';
import type { IBuild, IImage, IImageManager, IReport } from './tokens';

/**
 * A layer of an image.
 */
export interface ILayer {
  created_by: string;
  /** Bytes. */
  size: number;
}

/**
 * A layer, with the other images of the project that have it too.
 */
export interface ISharedLayer extends ILayer {
  /** Each as `name:version`. */
  shared_with: string[];
}

/**
 * An image with all that its check found.
 */
export interface IImageDetails extends IImage {
  report?: (IReport & { layers: ILayer[] }) | null;
}

/**
 * What an image is built from.
 */
export interface IRecipe {
  kind: string;
  dockerfile: string;
  /** Of what was taken in. */
  reference: string;
  /** Names only. */
  secrets: string[];
  dockerfile_path: string;
  /** Folder that was sent, relative to the project. */
  context_path?: string;
  context_size: number;
  context_files: number;
}

/**
 * The Dockerfile that gives an image again; empty where none does.
 */
export function dockerfileOf(recipe: IRecipe): string {
  return (
    recipe.dockerfile ||
    (recipe.kind !== 'archive' && recipe.reference
      ? `FROM ${recipe.reference}\n`
      : '')
  );
}

/**
 * A Python package in an image.
 */
export interface IPackage {
  name: string;
  version: string;
}

/**
 * All about one image; asked for again when the image has changed.
 */
export class ImageModel implements IDisposable {
  constructor(
    readonly manager: IImageManager,
    image: IImage
  ) {
    this._image = { ...image, report: null };
    this._key = keyOf(image);
    manager.stateChanged.connect(this._onChange, this);
    whenBack(this, manager, () => void this._load());
    void this._load();
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get image(): IImageDetails {
    return this._image;
  }

  /** Null while it is not known. */
  get recipe(): IRecipe | null {
    return this._recipe;
  }

  /** Null while they are not known, or when the image was never checked. */
  get packages(): ReadonlyArray<IPackage> | null {
    return this._packages;
  }

  /** The last build; null where there was none. */
  get build(): IBuild | null {
    return this._build;
  }

  get loaded(): boolean {
    return this._loaded;
  }

  /** Why it cannot be shown; empty otherwise. */
  get error(): string {
    return this._error;
  }

  /** All versions of its name, newest first. */
  get versions(): IImage[] {
    return this.manager.images
      .filter(
        each =>
          each.name === this._image.name &&
          each.project_id === this._image.project_id
      )
      .sort((a, b) => b.version - a.version);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.disconnectReceiver(this);
    Signal.clearData(this);
  }

  private _onChange(): void {
    const now = this.manager.image(this._image.id);
    if (now && keyOf(now) !== this._key) {
      this._key = keyOf(now);
      void this._load();
    }
    this._stateChanged.emit();
  }

  private async _load(): Promise<void> {
    const { api } = this.manager;
    const { id } = this._image;
    try {
      const image = await api.image(id);
      const [recipe, packages, build] = await Promise.all([
        orNull(api.recipe(id)),
        orNull(api.packages(id)),
        image.last_build_id ? orNull(api.getBuild(image.last_build_id)) : null
      ]);
      this._image = image;
      this._recipe = recipe;
      this._packages = packages;
      this._build = build;
      this._error = '';
    } catch (error) {
      if (error instanceof ConnectionError) {
        return; // what is known stays; it is asked again when the server is back
      }
      this._error = messageOf(error);
    }
    this._loaded = true;
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private _image: IImageDetails;
  private _key: string;
  private _recipe: IRecipe | null = null;
  private _packages: IPackage[] | null = null;
  private _build: IBuild | null = null;
  private _loaded = false;
  private _error = '';
  private _isDisposed = false;
  private _stateChanged = new Signal<this, void>(this);
}

function keyOf(image: IImage): string {
  return [image.state, image.active, image.last_build_id].join();
}

/**
 * What a refusal leaves unknown: a recipe that is not kept, packages of an image that was never checked.
 */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RequestError && error.status < 500) {
      return null;
    }
    throw error;
  }
}
