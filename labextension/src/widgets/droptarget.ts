import type { Drag } from '@lumino/dragdrop';

/**
 * The type under which JupyterLab's file browser drags paths.
 */
const PATHS = 'application/x-jupyter-icontents';
const OVER = 'jp-mod-dropTarget';

/**
 * Takes one file that is dragged from the file browser onto an element.
 */
export class FileDropTarget {
  /**
   * @param _node - The element.
   * @param _fits - Whether a path, of a drive's contents, is welcome.
   * @param _dropped - Called with the path.
   */
  constructor(
    private readonly _node: HTMLElement,
    private readonly _fits: (path: string) => boolean,
    private readonly _dropped: (path: string) => void
  ) {
    for (const type of EVENTS) {
      _node.addEventListener(type, this);
    }
  }

  /**
   * Called by the browser.
   */
  handleEvent(event: Event): void {
    const drag = event as Drag.Event;
    const path = this._pathOf(drag);
    if (event.type === 'lm-dragleave') {
      const into = drag.relatedTarget as Node | null;
      if (!into || !this._node.contains(into)) {
        this._node.classList.remove(OVER);
      }
      return;
    }
    if (path === null) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (event.type === 'lm-drop') {
      this._node.classList.remove(OVER);
      drag.dropAction = 'copy';
      this._dropped(path);
    } else {
      this._node.classList.add(OVER);
      drag.dropAction = 'copy';
    }
  }

  /**
   * Let go of the element.
   */
  dispose(): void {
    for (const type of EVENTS) {
      this._node.removeEventListener(type, this);
    }
    this._node.classList.remove(OVER);
  }

  private _pathOf(drag: Drag.Event): string | null {
    if (!drag.mimeData.hasData(PATHS)) {
      return null;
    }
    const paths = drag.mimeData.getData(PATHS) as string[];
    return paths.length === 1 && this._fits(paths[0]) ? paths[0] : null;
  }
}

const EVENTS = ['lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-drop'];
