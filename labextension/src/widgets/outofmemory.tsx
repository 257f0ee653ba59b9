import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { OutOfMemory } from '../components/outofmemory';
import type { IImageManager } from '../tokens';
import { insertBar } from './cellbar';

/**
 * Offer more memory below a cell that needed more than its kernel may use.
 */
export function offerMemory(options: {
  app: JupyterFrontEnd;
  manager: IImageManager;
  panel: NotebookPanel;
  cell: Cell;
  projectId: string;
  trans: TranslationBundle;
}): IDisposable {
  const { app, manager, panel, cell, projectId, trans } = options;
  const bar = insertBar(
    cell,
    <OutOfMemory
      manager={manager}
      projectId={projectId}
      trans={trans}
      openSettings={() =>
        void app.commands.execute(CommandIDs.runSettings, {
          project_id: projectId,
          field: 'memory'
        })
      }
      restart={() => panel.sessionContext.restartKernel()}
      onClosed={() => {
        const focused = bar.node.contains(document.activeElement);
        bar.dispose();
        if (focused) {
          panel.content.activeCellIndex = panel.content.widgets.indexOf(cell);
          panel.content.activate();
        }
      }}
    />
  );
  return bar;
}
