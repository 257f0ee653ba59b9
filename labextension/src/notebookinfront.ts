import { PathExt } from '@jupyterlab/coreutils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

import type { INotebookInFront } from './components/context';
import { importsOf } from './imports';
import { namesBeside } from './offers';
import type { IImageManager } from './tokens';

/**
 * The notebook that was in front last; null for none, or for one that is not in Python.
 */
export function notebookInFront(
  tracker: INotebookTracker,
  contents: Contents.IManager,
  manager: IImageManager
): INotebookInFront | null {
  const panel = tracker.currentWidget;
  const model = panel?.content.model;
  if (!panel || !model || !/^i?python/.test(model.defaultKernelLanguage)) {
    return null;
  }
  const path = contents.localPath(panel.context.path);
  return {
    name: PathExt.basename(path),
    modules: () => {
      const found = new Set<string>();
      for (const cell of model.cells) {
        if (cell.type === 'code') {
          importsOf(cell.sharedModel.getSource()).forEach(each =>
            found.add(each)
          );
        }
      }
      return [...found];
    },
    beside: async () =>
      namesBeside(contents, path, await manager.api.projectOf(path))
  };
}
