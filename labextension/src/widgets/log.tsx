import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { ViewContext } from '../components/context';
import { LogView } from '../components/log';
import { LogModel } from '../logmodel';
import type { IImage, IImageManager } from '../tokens';

export { LogModel };

/**
 * Make the content of a log page; it owns its model.
 */
export function createLogWidget(options: {
  model: LogModel;
  image: IImage;
  manager: IImageManager;
  commands: CommandRegistry;
  trans: TranslationBundle;
}): ReactWidget {
  const { model, image, manager, commands, trans } = options;
  const widget = ReactWidget.create(
    <ViewContext.Provider
      value={{
        manager,
        trans,
        run: (command, args) => void commands.execute(command, args),
        openMenu: () => undefined
      }}
    >
      <LogView model={model} image={image} />
    </ViewContext.Provider>
  );
  widget.addClass('jp-ImageManager-page');
  widget.disposed.connect(() => model.dispose());
  return widget;
}
