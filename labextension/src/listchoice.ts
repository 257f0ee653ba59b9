import type { IStateDB } from '@jupyterlab/statedb';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { IImage } from './tokens';

/**
 * Which images of a project are listed.
 */
export type ListFilter = 'all' | 'ready' | 'used' | 'problems';

/**
 * In which order they are listed.
 */
export type ListSort = 'newest' | 'name' | 'size';

/**
 * How a person wants to see a list of images.
 */
export interface IListChoice {
  filter: ListFilter;
  sort: ListSort;
}

/** All filters and orders, as they are offered. */
export const FILTERS: ReadonlyArray<ListFilter> = [
  'all',
  'ready',
  'used',
  'problems'
];
export const SORTS: ReadonlyArray<ListSort> = ['newest', 'name', 'size'];

const KEY = 'jupyter-image-manager:list';

/**
 * Tell whether a filter lets an image through.
 */
export function passes(image: IImage, filter: ListFilter): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'ready':
      return image.state === 'ready';
    case 'used':
      return image.active || image.running_kernels > 0;
    case 'problems':
      return (
        image.warnings.length > 0 ||
        !['ready', 'building'].includes(image.state)
      );
  }
}

/**
 * The images that a filter lets through, versions of one name together and the newest first, names in the wanted order.
 */
export function arranged(
  images: ReadonlyArray<IImage>,
  { filter, sort }: IListChoice
): IImage[] {
  const groups = new Map<string, IImage[]>();
  for (const image of images) {
    if (passes(image, filter)) {
      const group = groups.get(image.name);
      if (group) {
        group.push(image);
      } else {
        groups.set(image.name, [image]);
      }
    }
  }
  const order = [...groups.values()];
  for (const group of order) {
    group.sort((a, b) => b.version - a.version);
  }
  if (sort === 'name') {
    order.sort(([a], [b]) => a.name.localeCompare(b.name));
  } else if (sort === 'size') {
    order.sort(([a], [b]) => b.size - a.size);
  }
  return order.flat();
}

/**
 * The choice of a person, kept in JupyterLab's state from one page to the next.
 */
export class ListChoice {
  /**
   * @param _state - Where it is kept; null to forget it with the page.
   */
  constructor(private readonly _state: IStateDB | null) {
    void this._recall();
  }

  /** Emitted when it is another one. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get value(): IListChoice {
    return this._value;
  }

  /** Choose; what is not named stays. */
  set(changes: Partial<IListChoice>): void {
    this._said = true;
    this._value = { ...this._value, ...changes };
    void this._state?.save(KEY, { ...this._value });
    this._changed.emit();
  }

  private async _recall(): Promise<void> {
    const kept = await this._state?.fetch(KEY);
    if (!this._said && typeof kept === 'object' && kept !== null) {
      const { filter, sort } = kept as Partial<Record<string, unknown>>;
      this._value = {
        filter: FILTERS.find(each => each === filter) ?? 'all',
        sort: SORTS.find(each => each === sort) ?? 'newest'
      };
      this._changed.emit();
    }
  }

  private _said = false;
  private _value: IListChoice = { filter: 'all', sort: 'newest' };
  private _changed = new Signal<this, void>(this);
}
