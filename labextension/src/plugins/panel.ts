import { ILayoutRestorer } from '@jupyterlab/application';
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';

import { ListChoice } from '../listchoice';
import { IImageManager } from '../tokens';
import { ImagePanel } from '../widgets/panel';

/**
 * Adds the panel to the left side bar, unless the server never had its part.
 */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:panel',
  description: 'Adds the panel with the images of the project in front.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  optional: [ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null
  ): void => {
    const panel = new ImagePanel({
      manager,
      trans: translator.load('jupyter_image_manager'),
      commands: app.commands,
      contents: app.serviceManager.contents,
      listChoice: new ListChoice(state)
    });
    const add = () =>
      app.shell.add(panel, 'left', { rank: 450, type: 'Images' });
    restorer?.add(panel, panel.id);
    add();
    manager.stateChanged.connect(() => {
      const wanted = manager.server !== 'absent' || manager.known;
      if (wanted && !panel.parent) {
        add();
      } else if (!wanted && panel.parent) {
        panel.parent = null;
      }
    });
  }
};
