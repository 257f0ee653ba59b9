import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { ViewContext } from '../components/context';
import { ImagePage } from '../components/imagepage';
import { ImageModel } from '../imagemodel';
import { LogModel } from '../logmodel';
import type { IBuild, IImage, IImageManager } from '../tokens';

/**
 * Make the content of an image's page; it owns its models.
 */
export function createImageWidget(options: {
  image: IImage;
  manager: IImageManager;
  commands: CommandRegistry;
  trans: TranslationBundle;
}): ReactWidget {
  const { image, manager, commands, trans } = options;
  const model = new ImageModel(manager, image);
  let log: LogModel | null = null;
  const logOf = (build: IBuild) => {
    log?.dispose();
    log = new LogModel({ api: manager.api, build });
    return log;
  };
  const widget = ReactWidget.create(
    <ViewContext.Provider
      value={{
        manager,
        trans,
        run: (command, args) => void commands.execute(command, args),
        openMenu: () => undefined
      }}
    >
      <ImagePage model={model} logOf={logOf} />
    </ViewContext.Provider>
  );
  widget.addClass('jp-ImageManager-page');
  widget.disposed.connect(() => {
    model.dispose();
    log?.dispose();
  });
  return widget;
}
