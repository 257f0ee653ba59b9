import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';

import { argsOf } from '../commandargs';
import { CommandIDs } from '../commands';
import { imageIcon } from '../icons';
import { addBuildCommands, addImageCommands } from '../imagecommands';
import { Pages } from '../pages';
import { isField } from '../runsettings';
import { sessionContexts } from '../sessions';
import { IImageManager } from '../tokens';

/**
 * Adds the commands, with their main-area pages, which are loaded on first use.
 */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:commands',
  description: 'Adds the commands of the image manager and its pages.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  optional: [
    ICommandPalette,
    IEditorServices,
    INotebookTracker,
    IDocumentManager
  ],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator,
    palette: ICommandPalette | null,
    editors: IEditorServices | null,
    tracker: INotebookTracker | null,
    documents: IDocumentManager | null
  ): void => {
    const trans = translator.load('jupyter_image_manager');
    const { commands, shell } = app;
    const actions = once(async () => {
      const { Actions } = await import('../actions');
      return new Actions({ manager, trans });
    });
    const activator = once(async () => {
      const { Activator } = await import('../activator');
      const contexts = () => sessionContexts(app);
      return new Activator({ manager, trans, contexts });
    });
    const pages = new Pages({
      app,
      manager,
      trans,
      editors,
      tracker,
      documents,
      report: async (what, error) =>
        (await import('../news')).report(trans, what, error)
    });
    const ready = () => manager.server === 'ready';
    const inProject = () => ready() && manager.project !== null;

    commands.addCommand(CommandIDs.openPanel, {
      label: trans.__('Images'),
      caption: trans.__('Show the images of this project'),
      icon: imageIcon,
      describedBy: argsOf({}),
      isVisible: ready,
      execute: () => shell.activateById('jupyter-image-manager-panel')
    });
    commands.addCommand(CommandIDs.createProject, {
      label: args =>
        trans.__(
          'Make “%1” a Project',
          PathExt.basename(
            typeof args.path === 'string' ? args.path : manager.folder
          ) || trans.__('Home')
        ),
      caption: trans.__('Let this folder have images of its own'),
      describedBy: argsOf({
        path: trans.__(
          'Folder, relative to the server’s root; the one in front when left out'
        )
      }),
      isEnabled: () =>
        ready() &&
        manager.loaded &&
        manager.project?.jupyter_path !== manager.folder,
      execute: async args => {
        const project = await (
          await actions()
        ).createProject(
          typeof args.path === 'string' ? args.path : manager.folder
        );
        return project?.id ?? null;
      }
    });
    commands.addCommand(CommandIDs.newImage, {
      label: args =>
        typeof args.duplicate === 'string'
          ? trans.__('Build Another Like It…')
          : args.isLauncher === true
            ? trans.__('New Image')
            : trans.__('New Image…'),
      caption: trans.__('Build an image for this project'),
      icon: imageIcon,
      describedBy: argsOf({
        source: trans.__(
          '“template”, “dockerfile”, “import”, “duplicate” or “archive”; the likelier of the first two when left out'
        ),
        name: trans.__('Name of the image'),
        packages: trans.__('Python packages to begin with, one a line'),
        file: trans.__('A Dockerfile to begin with, relative to the project'),
        requirements_file: trans.__(
          'A requirements.txt whose lines become the packages, relative to the project'
        ),
        environment_file: trans.__(
          'An environment.yml of conda to begin with, relative to the project'
        ),
        duplicate: trans.__('Id of an image whose recipe fills the form')
      }),
      isEnabled: () => ready() && manager.loaded,
      execute: async args => {
        let project = manager.project;
        if (!project) {
          project = await (await actions()).createProject(manager.folder);
        }
        if (!project) {
          return;
        }
        await pages.openNewImage(project, args);
      }
    });
    commands.addCommand(CommandIDs.runSettings, {
      label: trans.__('Run Settings…'),
      caption: trans.__('Change what the kernels of a project may use'),
      describedBy: argsOf({
        project_id: trans.__('Id of a project; the one in front when left out'),
        field: trans.__('Field that has the focus at first, such as “memory”')
      }),
      isEnabled: args => ready() && (inProject() || !!args.project_id),
      execute: async args => {
        const project =
          typeof args.project_id === 'string'
            ? (await manager.api.projects()).find(
                each => each.id === args.project_id
              )
            : manager.project;
        if (project) {
          const { field } = args;
          await pages.openRunSettings(
            project,
            isField(field) ? field : undefined
          );
        }
      }
    });
    addImageCommands({ app, manager, trans, pages, actions, activator });
    addBuildCommands({ app, trans, pages, actions });
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Images'),
      caption: trans.__('Ask the server again'),
      describedBy: argsOf({}),
      execute: () => manager.refresh()
    });

    if (palette) {
      const category = trans.__('Images');
      for (const command of [
        CommandIDs.openPanel,
        CommandIDs.createProject,
        CommandIDs.newImage,
        CommandIDs.activate,
        CommandIDs.deactivate,
        CommandIDs.restartKernels,
        CommandIDs.runSettings,
        CommandIDs.openImage,
        CommandIDs.checkImage,
        CommandIDs.compareImage,
        CommandIDs.addPackages,
        CommandIDs.exportDockerfile,
        CommandIDs.deleteImage,
        CommandIDs.refresh
      ]) {
        palette.addItem({ command, category });
      }
    }
    manager.stateChanged.connect(() => {
      for (const command of Object.values(CommandIDs)) {
        commands.notifyCommandChanged(command);
      }
    });
  }
};

/**
 * A function that makes something on its first call, and gives the same from then on.
 */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => (made ??= make());
}
