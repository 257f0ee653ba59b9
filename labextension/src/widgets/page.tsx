import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { ViewContext } from '../components/context';
import type { INotebookInFront } from '../components/context';
import { ServerNotice } from '../components/servernotice';
import type { IImageManager } from '../tokens';
import { openMenu } from './menu';

/**
 * What a page of the main area is made with.
 */
export interface IPageOptions {
  manager: IImageManager;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** The notebook that was in front last; null for none, or for one that is not in Python. */
  notebook?: () => INotebookInFront | null;
}

/**
 * Make the content of a page of the main area.
 */
export function createPage(
  options: IPageOptions,
  content: JSX.Element
): ReactWidget {
  const { manager, commands, trans, notebook } = options;
  const widget = ReactWidget.create(
    <ViewContext.Provider
      value={{
        manager,
        trans,
        run: (command, args) => void commands.execute(command, args),
        openMenu: (items, anchor) => openMenu(commands, items, anchor),
        notebook
      }}
    >
      <ServerNotice manager={manager} trans={trans} />
      {content}
    </ViewContext.Provider>
  );
  widget.addClass('jp-ImageManager-page');
  return widget;
}
