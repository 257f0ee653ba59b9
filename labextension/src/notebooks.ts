import type { Cell, ICodeCellModel } from '@jupyterlab/cells';

import type { IImage, INotebookMemory } from './tokens';

/**
 * The key below which a notebook remembers its image.
 */
export const METADATA_KEY = 'image_manager';

/**
 * What a notebook remembers; null when it remembers nothing that we understand.
 *
 * #### Notes
 * The server writes it, into what it saves.
 */
export function memoryOf(metadata: unknown): INotebookMemory | null {
  if (typeof metadata !== 'object' || metadata === null) {
    return null;
  }
  const { image, digest } = metadata as Record<string, unknown>;
  return typeof image === 'string' && typeof digest === 'string'
    ? { image, digest }
    : null;
}

/**
 * Whether an image is the one that a notebook remembers.
 */
export function isRemembered(
  image: IImage | null,
  memory: INotebookMemory
): boolean {
  return (
    image !== null &&
    image.spec === memory.image &&
    memory.digest === (image.digest || image.engine_image)
  );
}

/**
 * Cells that were sent to a kernel and have not come back, in order.
 *
 * #### Notes
 * When a kernel dies, JupyterLab forgets which cell ran; the first one here is it.
 */
export class PendingCells {
  /** A cell was sent. */
  scheduled(notebook: object, cell: Cell): void {
    const cells = this._cells.get(notebook) ?? [];
    this._cells.set(notebook, [
      ...cells.filter(each => each !== cell && !each.isDisposed),
      cell
    ]);
  }

  /** A cell came back. */
  executed(notebook: object, cell: Cell): void {
    this._cells.set(
      notebook,
      (this._cells.get(notebook) ?? []).filter(each => each !== cell)
    );
  }

  /** The cell that ran when the kernel died; the rest is forgotten. */
  take(notebook: object): Cell | null {
    const cell =
      this._cells.get(notebook)?.find(each => !each.isDisposed) ?? null;
    this._cells.delete(notebook);
    return cell;
  }

  private _cells = new WeakMap<object, Cell[]>();
}

/**
 * Append to a cell why its kernel died.
 */
export function explainInCell(cell: Cell, message: string): void {
  if (cell.model.type !== 'code') {
    return;
  }
  (cell.model as ICodeCellModel).outputs.add({
    output_type: 'error',
    ename: 'KernelDied',
    evalue: message,
    traceback: [message]
  });
}
