import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { StatusItem } from '../components/status';
import { IImageManager } from '../tokens';

/**
 * Adds the active image to the status bar, where there is one.
 */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:status',
  description:
    'Shows the active image of the project in front, and builds, in the status bar.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  optional: [IStatusBar],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator,
    statusBar: IStatusBar | null
  ): void => {
    if (!statusBar) {
      return;
    }
    const item = ReactWidget.create(
      <StatusItem
        manager={manager}
        trans={translator.load('jupyter_image_manager')}
        run={(command, args) => void app.commands.execute(command, args)}
      />
    );
    statusBar.registerStatusItem('jupyter-image-manager:status', {
      item,
      align: 'left',
      rank: 10,
      isActive: () => manager.server === 'ready' && manager.project !== null,
      activeStateChanged: manager.stateChanged
    });
  }
};
