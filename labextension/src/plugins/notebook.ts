import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import { CommandIDs } from '../commands';
import { sizeOf } from '../difference';
import {
  METADATA_KEY,
  PendingCells,
  explainInCell,
  isRemembered,
  memoryOf
} from '../notebooks';
import { nearestProject } from '../kernels';
import { IImageManager, SERVER_ENVIRONMENT } from '../tokens';
import type { IKernelEvent, IPackageDiff } from '../tokens';

/**
 * Says when a notebook last ran in another image, and explains the death of its kernel.
 */
export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:notebook',
  description:
    'Says when a notebook last ran in another image and why its kernel died.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  optional: [INotebookTracker, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator,
    tracker: INotebookTracker | null,
    registry: ISettingRegistry | null
  ): void => {
    if (!tracker) {
      return;
    }
    const trans = translator.load('jupyter_image_manager');
    const settings = {
      tellDifferent: true,
      explainDeath: true
    };
    const panels = () => {
      const all: NotebookPanel[] = [];
      tracker.forEach(panel => all.push(panel));
      return all;
    };
    if (registry) {
      void loadSettings(registry, settings);
    }
    explainDeaths(app, manager, panels, settings, trans);
    tellDifferences(app, manager, tracker, settings, trans);
  }
};

interface INotebookSettings {
  tellDifferent: boolean;
  explainDeath: boolean;
}

async function loadSettings(
  registry: ISettingRegistry,
  settings: INotebookSettings
): Promise<void> {
  const loaded = await registry.load(notebookPlugin.id);
  const read = () => {
    settings.tellDifferent = loaded.composite.tellDifferent as boolean;
    settings.explainDeath = loaded.composite.explainDeath as boolean;
  };
  read();
  loaded.changed.connect(read);
}

function explainDeaths(
  app: JupyterFrontEnd,
  manager: IImageManager,
  panels: () => NotebookPanel[],
  settings: INotebookSettings,
  trans: TranslationBundle
): void {
  const pending = new PendingCells();
  const offers = new WeakMap<Cell, Promise<IDisposable>>();
  NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
    pending.scheduled(notebook, cell);
    void offers.get(cell)?.then(offer => offer.dispose());
  });
  NotebookActions.executed.connect((_, { notebook, cell }) => {
    pending.executed(notebook, cell);
  });
  manager.kernelEvent.connect((_, event: IKernelEvent) => {
    if (event.action !== 'died') {
      return;
    }
    const panel = panels().find(
      each => each.sessionContext.session?.kernel?.id === event.kernel_id
    );
    if (!panel) {
      return;
    }
    const message =
      event.message ||
      trans.__('The kernel died. Variables are lost, files are safe.');
    const cell = pending.take(panel.content);
    if (cell && settings.explainDeath) {
      explainInCell(cell, message);
      if (event.reason === 'out_of_memory') {
        const projectId = event.project_id;
        offers.set(
          cell,
          import('../widgets/outofmemory').then(({ offerMemory }) =>
            offerMemory({ app, manager, panel, cell, projectId, trans })
          )
        );
      }
    }
    Notification.error(`${PathExt.basename(panel.context.path)}: ${message}`, {
      autoClose: false,
      actions:
        event.reason === 'out_of_memory'
          ? [
              {
                label: trans.__('Allow more memory'),
                callback: () => {
                  void app.commands.execute(CommandIDs.runSettings, {
                    project_id: event.project_id,
                    field: 'memory'
                  });
                }
              }
            ]
          : []
    });
  });
}

function tellDifferences(
  app: JupyterFrontEnd,
  manager: IImageManager,
  tracker: INotebookTracker,
  settings: INotebookSettings,
  trans: TranslationBundle
): void {
  tracker.widgetAdded.connect(async (_, panel) => {
    await panel.context.ready;
    const memory = memoryOf(panel.context.model.getMetadata(METADATA_KEY));
    if (!memory || !settings.tellDifferent) {
      return;
    }
    const path = app.serviceManager.contents.localPath(panel.context.path);
    const projects = await manager.api.projects().catch(() => []);
    const project = nearestProject(path, projects);
    if (
      !project ||
      isRemembered(project.active_image, memory) ||
      panel.isDisposed
    ) {
      return;
    }
    const now =
      project.active_image?.spec ?? trans.__('the server environment');
    const images = await manager.api.images(project.id).catch(() => []);
    const old = images.find(image => isRemembered(image, memory));
    const active = project.active_image_id ?? SERVER_ENVIRONMENT;
    const diff =
      old && (await manager.api.diff(old.id, active).catch(() => null));
    const id = Notification.info(
      [
        trans.__(
          '%1 last ran in %2. Here it runs in %3.',
          PathExt.basename(path),
          memory.image,
          now
        ),
        diff && differenceOf(diff, trans)
      ]
        .filter(Boolean)
        .join(' '),
      {
        autoClose: 15000,
        actions: [
          ...(diff
            ? [
                {
                  label: trans.__('Compare'),
                  callback: (event: MouseEvent) => {
                    event.preventDefault();
                    void app.commands.execute(CommandIDs.compareImage, {
                      image_id: old!.id
                    });
                  }
                }
              ]
            : []),
          ...(old?.state === 'ready'
            ? [
                {
                  label: trans.__('Use %1', old.spec),
                  callback: () => {
                    Notification.dismiss(id);
                    void app.commands.execute(CommandIDs.activate, {
                      image_id: old.id
                    });
                  }
                }
              ]
            : [])
        ]
      }
    );
  });
}

function differenceOf(diff: IPackageDiff, trans: TranslationBundle): string {
  const count = sizeOf(diff);
  return count
    ? trans._n(
        '%1 Python package differs.',
        '%1 Python packages differ.',
        count
      )
    : trans.__('The Python packages are the same.');
}
