import type { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ImagePage } from '../components/imagepage';
import { ImageModel } from '../imagemodel';
import { LogModel } from '../logmodel';
import type { IBuild, IImage } from '../tokens';
import { createPage } from './page';
import type { IPageOptions } from './page';

/**
 * Make the content of an image's page; it owns its models.
 */
export function createImageWidget(
  options: IPageOptions & { image: IImage }
): ReactWidget {
  const { image, manager } = options;
  const model = new ImageModel(manager, image);
  let log: LogModel | null = null;
  const logOf = (build: IBuild) => {
    log?.dispose();
    log = new LogModel({ api: manager.api, build });
    return log;
  };
  const widget = createPage(options, <ImagePage model={model} logOf={logOf} />);
  widget.disposed.connect(() => {
    model.dispose();
    log?.dispose();
  });
  return widget;
}
