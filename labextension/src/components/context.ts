import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IImageManager } from '../tokens';

/**
 * What every view needs.
 */
export interface IViewContext {
  manager: IImageManager;
  trans: TranslationBundle;
  /** Run a command. */
  run: (command: string, args?: Record<string, string>) => void;
  /** Open a menu of commands at an element; focus returns there. */
  openMenu: (items: IMenuItem[], anchor: HTMLElement) => void;
  /** The notebook that was in front last; null for none, or for one that is not in Python. */
  notebook?: () => INotebookInFront | null;
}

/**
 * A notebook in Python, as far as its imports go.
 */
export interface INotebookInFront {
  /** Of its file. */
  name: string;
  /** The dotted names that its cells import. */
  modules: () => string[];
  /** Names of what lies where Python looks before any package. */
  beside: () => Promise<string[]>;
}

/**
 * An entry of a menu; null args for none.
 */
export interface IMenuItem {
  command: string;
  args?: Record<string, string>;
}

/**
 * The context of our views.
 */
export const ViewContext = React.createContext<IViewContext | null>(null);

/**
 * The context, of which views are sure.
 */
export function useView(): IViewContext {
  const context = React.useContext(ViewContext);
  if (!context) {
    throw new Error(
      'A view of the image manager was rendered outside its context.'
    );
  }
  return context;
}
