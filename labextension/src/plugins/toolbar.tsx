import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IImageManager } from '../tokens';

// Loaded with the first notebook.
const KernelImage = React.lazy(async () => ({
  default: (await import('../components/kernelimage')).KernelImage
}));

/**
 * Adds the name of the kernel's image to the toolbar of notebooks.
 */
export const toolbarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:toolbar',
  description: 'Names the image of the kernel in the toolbar of a notebook.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  optional: [IToolbarWidgetRegistry],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator,
    toolbars: IToolbarWidgetRegistry | null
  ): void => {
    const trans = translator.load('jupyter_image_manager');
    toolbars?.addFactory<NotebookPanel>('Notebook', 'kernelImage', panel => {
      const widget = ReactWidget.create(
        <React.Suspense fallback={null}>
          <KernelImage
            manager={manager}
            context={panel.sessionContext}
            trans={trans}
            run={(command, args) => void app.commands.execute(command, args)}
          />
        </React.Suspense>
      );
      widget.addClass('jp-ImageManager-toolbarItem');
      return widget;
    });
  }
};
