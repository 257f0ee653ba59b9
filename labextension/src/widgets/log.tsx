import type { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { LogView } from '../components/log';
import { LogModel } from '../logmodel';
import type { IImage } from '../tokens';
import { createPage } from './page';
import type { IPageOptions } from './page';

export { LogModel };

/**
 * Make the content of a log page; it owns its model.
 */
export function createLogWidget(
  options: IPageOptions & { model: LogModel; image: IImage }
): ReactWidget {
  const { model, image } = options;
  const widget = createPage(options, <LogView model={model} image={image} />);
  widget.disposed.connect(() => model.dispose());
  return widget;
}
