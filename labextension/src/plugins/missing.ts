import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { Notebook } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';

import { IImageManager } from '../tokens';
import type { MissingBars } from '../widgets/missing';

const ADD = 'image-manager:add-missing-package';
const ERROR = 'ModuleNotFoundError';

/**
 * Offers, below a cell that lacks a module, a new version of the image with the package that brings it.
 */
export const missingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:missing',
  description: 'Offers the package whose module a cell lacks.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  optional: [INotebookTracker, ISettingRegistry, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator,
    tracker: INotebookTracker | null,
    registry: ISettingRegistry | null,
    palette: ICommandPalette | null
  ): void => {
    if (!tracker) {
      return;
    }
    const trans = translator.load('jupyter_image_manager');
    let wanted = true;
    void registry?.load(missingPlugin.id).then(settings => {
      const read = () => {
        wanted = settings.composite.offerMissing as boolean;
      };
      read();
      settings.changed.connect(read);
    });

    // What is shown is loaded when a module is missing for the first time.
    const bars = new WeakMap<Notebook, Promise<MissingBars>>();
    const barsOf = (notebook: Notebook): Promise<MissingBars> | null => {
      const panel = tracker.find(each => each.content === notebook);
      if (!panel) {
        return null;
      }
      const made =
        bars.get(notebook) ??
        import('../widgets/missing').then(
          module =>
            new module.MissingBars({ app, manager, panel, trans, translator })
        );
      bars.set(notebook, made);
      return made;
    };

    NotebookActions.executionScheduled.connect((_, { notebook }) => {
      void bars.get(notebook)?.then(each => each.scheduled());
    });
    NotebookActions.executed.connect(
      (_, { notebook, cell, success, error }) => {
        const told =
          error?.errorName === ERROR
            ? { name: ERROR, message: error.errorValue }
            : errorIn(cell);
        const failure = told ?? (success ? null : { name: '', message: '' });
        const missing = wanted && failure?.name === ERROR;
        const here = missing ? barsOf(notebook) : bars.get(notebook);
        void here?.then(each => each.executed(cell, failure, wanted));
        app.commands.notifyCommandChanged(ADD);
      }
    );

    const inFront = (): { cell: Cell; notebook: Notebook } | null => {
      const cell = tracker.activeCell;
      const notebook = tracker.currentWidget?.content;
      return cell && notebook && bars.has(notebook) ? { cell, notebook } : null;
    };
    app.commands.addCommand(ADD, {
      label: trans.__('Add the Missing Package'),
      caption: trans.__(
        'Make a new version of the image with the package whose module the active cell lacks'
      ),
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => inFront() !== null,
      execute: async () => {
        const front = inFront();
        const here = front && (await bars.get(front.notebook));
        if (front && here?.modules.offer(front.cell)?.kind === 'offer') {
          await here.modules.add(front.cell);
        }
      }
    });
    palette?.addItem({ command: ADD, category: trans.__('Images') });
  }
};

/**
 * The error in the outputs of a cell.
 */
function errorIn(cell: Cell): { name: string; message: string } | null {
  if (cell.model.type !== 'code') {
    return null;
  }
  const { outputs } = cell.model as ICodeCellModel;
  for (let index = outputs.length - 1; index >= 0; index--) {
    const output = outputs.get(index).toJSON();
    if (output.output_type === 'error') {
      return { name: String(output.ename), message: String(output.evalue) };
    }
  }
  return null;
}
