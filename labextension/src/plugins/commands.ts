import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { Actions } from '../actions';
import { CommandIDs } from '../commands';
import { imageIcon } from '../icons';
import { Pages } from '../pages';
import { sessionContexts } from '../sessions';
import { IImageManager } from '../tokens';
import type { IImage } from '../tokens';

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
    let loaded: Promise<Actions> | null = null;
    const actions = (): Promise<Actions> =>
      (loaded ??= import('../actions').then(
        module =>
          new module.Actions({
            manager,
            trans,
            contexts: () => sessionContexts(app)
          })
      ));
    const pages = new Pages({
      app,
      manager,
      trans,
      editors,
      tracker,
      documents,
      report: async (what, error) => (await actions()).report(what, error)
    });
    const ready = () => manager.server === 'ready';
    const inProject = () => ready() && manager.project !== null;
    const imageArgs = {
      args: {
        type: 'object' as const,
        properties: {
          image_id: {
            type: 'string' as const,
            description: trans.__(
              'Id of an image of the project in front; asked for when left out'
            )
          }
        }
      }
    };
    const buildArgs = {
      args: {
        type: 'object' as const,
        required: ['build_id'],
        properties: {
          build_id: {
            type: 'string' as const,
            description: trans.__('Id of a build')
          }
        }
      }
    };
    const noArgs = { args: { type: 'object' as const, properties: {} } };

    const pick = async (
      args: ReadonlyPartialJSONObject,
      title: string,
      fits: (image: IImage) => boolean
    ): Promise<IImage | null> => {
      if (typeof args.image_id === 'string') {
        return manager.image(args.image_id) ?? manager.api.image(args.image_id);
      }
      const images = manager.images.filter(fits);
      const answer = await InputDialog.getItem({
        title,
        items: images.map(image => image.spec)
      });
      return images.find(image => image.spec === answer.value) ?? null;
    };

    commands.addCommand(CommandIDs.openPanel, {
      label: trans.__('Images'),
      caption: trans.__('Show the images of this project'),
      icon: imageIcon,
      describedBy: noArgs,
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
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: trans.__(
                'Folder, relative to the server’s root; the one in front when left out'
              )
            }
          }
        }
      },
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
      describedBy: {
        args: {
          type: 'object',
          properties: {
            source: {
              type: 'string',
              description: trans.__(
                '“template”, “dockerfile”, “import”, “duplicate” or “archive”; the likelier of the first two when left out'
              )
            },
            name: {
              type: 'string',
              description: trans.__('Name of the image')
            },
            packages: {
              type: 'string',
              description: trans.__('Python packages to begin with, one a line')
            },
            file: {
              type: 'string',
              description: trans.__(
                'A Dockerfile to begin with, relative to the project'
              )
            },
            requirements_file: {
              type: 'string',
              description: trans.__(
                'A requirements.txt whose lines become the packages, relative to the project'
              )
            },
            environment_file: {
              type: 'string',
              description: trans.__(
                'An environment.yml of conda to begin with, relative to the project'
              )
            },
            duplicate: {
              type: 'string',
              description: trans.__(
                'Id of an image whose recipe fills the form'
              )
            }
          }
        }
      },
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
    commands.addCommand(CommandIDs.activate, {
      label: args =>
        typeof args.image_id === 'string'
          ? trans.__('Activate')
          : trans.__('Activate Image…'),
      caption: trans.__('Run the kernels of this project in an image'),
      describedBy: imageArgs,
      isEnabled: inProject,
      execute: async args => {
        const image = await pick(
          args,
          trans.__('Activate which image?'),
          each => each.state === 'ready' && !each.active
        );
        if (image && manager.project) {
          await (await actions()).activate(manager.project, image);
        }
      }
    });
    commands.addCommand(CommandIDs.deactivate, {
      label: trans.__('Back to the Server Environment'),
      caption: trans.__(
        'Run the kernels of this project in the server’s own Python'
      ),
      describedBy: noArgs,
      isEnabled: () => inProject() && manager.project?.active_image_id !== null,
      execute: async () => {
        if (manager.project) {
          await (await actions()).activate(manager.project, null);
        }
      }
    });
    commands.addCommand(CommandIDs.restartKernels, {
      label: trans.__('Restart Kernels That Run Elsewhere…'),
      caption: trans.__(
        'Let every kernel of this project run in the active image'
      ),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            kernel_id: {
              type: 'string',
              description: trans.__(
                'Id of the one kernel to restart; all that run elsewhere when left out'
              )
            }
          }
        }
      },
      isEnabled: args =>
        typeof args.kernel_id === 'string' ||
        manager.projectKernels.some(kernel => kernel.stale),
      execute: async args =>
        (await actions()).restartKernels(
          typeof args.kernel_id === 'string' ? args.kernel_id : undefined
        )
    });
    commands.addCommand(CommandIDs.runSettings, {
      label: trans.__('Run Settings…'),
      caption: trans.__('Change what the kernels of a project may use'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            project_id: {
              type: 'string',
              description: trans.__(
                'Id of a project; the one in front when left out'
              )
            }
          }
        }
      },
      isEnabled: args => ready() && (inProject() || !!args.project_id),
      execute: async args => {
        const project =
          typeof args.project_id === 'string'
            ? (await manager.api.projects()).find(
                each => each.id === args.project_id
              )
            : manager.project;
        if (project) {
          await pages.openRunSettings(project);
        }
      }
    });
    commands.addCommand(CommandIDs.openImage, {
      label: args =>
        typeof args.image_id === 'string'
          ? trans.__('Show Details')
          : trans.__('Show Image…'),
      caption: trans.__('Show all about an image'),
      describedBy: imageArgs,
      isEnabled: inProject,
      execute: async args => {
        const image = await pick(
          args,
          trans.__('Show which image?'),
          () => true
        );
        if (image) {
          await pages.openImage(image);
        }
      }
    });
    commands.addCommand(CommandIDs.openLog, {
      label: trans.__('Show Log'),
      caption: trans.__('Show the log of a build'),
      describedBy: buildArgs,
      execute: args => pages.openLog(String(args.build_id))
    });
    commands.addCommand(CommandIDs.cancelBuild, {
      label: trans.__('Cancel Build'),
      caption: trans.__('Stop a build and remove what it left'),
      describedBy: buildArgs,
      execute: async args =>
        (await actions()).cancelBuild(String(args.build_id))
    });
    commands.addCommand(CommandIDs.retryBuild, {
      label: trans.__('Try Again'),
      caption: trans.__('Run a finished build again'),
      describedBy: buildArgs,
      execute: async args => {
        const id = String(args.build_id);
        if (await (await actions()).retryBuild(id)) {
          pages.closeLog(id);
          await pages.openLog(id);
        }
      }
    });
    commands.addCommand(CommandIDs.fixImage, {
      label: trans.__('Add What Is Missing and Rebuild'),
      caption: trans.__(
        'Append the missing requirements to the recipe and build the next version'
      ),
      describedBy: imageArgs,
      isEnabled: inProject,
      execute: async args => {
        const image = await pick(
          args,
          trans.__('Mend which image?'),
          each => each.state === 'unusable'
        );
        const build = image && (await (await actions()).fixImage(image));
        if (build) {
          await pages.openLog(build);
        }
      }
    });
    commands.addCommand(CommandIDs.checkImage, {
      label: args =>
        typeof args.image_id === 'string'
          ? trans.__('Check Again')
          : trans.__('Check Image…'),
      caption: trans.__('Look once more whether an image can run kernels'),
      describedBy: imageArgs,
      isEnabled: inProject,
      execute: async args => {
        const image = await pick(
          args,
          trans.__('Check which image?'),
          each => each.state === 'ready' || each.state === 'unusable'
        );
        const check = image && (await (await actions()).checkImage(image));
        if (check) {
          await pages.openLog(check);
        }
      }
    });
    commands.addCommand(CommandIDs.compareImage, {
      label: trans.__('Compare with the Active Image'),
      caption: trans.__(
        'Show the packages in which an image differs from the active one'
      ),
      describedBy: imageArgs,
      isEnabled: args =>
        inProject() &&
        manager.project?.active_image_id !== null &&
        manager.project?.active_image_id !== args.image_id,
      execute: async args => {
        const image = await pick(
          args,
          trans.__('Compare which image?'),
          each => each.state === 'ready' && !each.active
        );
        const active = manager.project?.active_image;
        if (image && active) {
          await (await actions()).compare(active, image);
        }
      }
    });
    commands.addCommand(CommandIDs.addPackages, {
      label: trans.__('Build a New Version with More Packages…'),
      caption: trans.__(
        'Build the next version of an image from its recipe, with more Python packages'
      ),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            ...imageArgs.args.properties,
            packages: {
              type: 'string',
              description: trans.__(
                'Python packages, with white space between them; asked for when left out'
              )
            }
          }
        }
      },
      isEnabled: inProject,
      execute: async args => {
        const image = await pick(
          args,
          trans.__('Add packages to which image?'),
          each => each.state === 'ready'
        );
        const packages =
          image &&
          (typeof args.packages === 'string'
            ? args.packages
            : (
                await InputDialog.getText({
                  title: trans.__('Packages that %1 lacks', image.spec),
                  label: trans.__('Python packages, with spaces between them')
                })
              ).value);
        const build =
          image &&
          packages &&
          (await (await actions()).addPackages(image, packages.split(/\s+/)));
        if (build) {
          await pages.openLog(build);
        }
      }
    });
    commands.addCommand(CommandIDs.exportDockerfile, {
      label: args =>
        typeof args.image_id === 'string'
          ? trans.__('Export as Dockerfile')
          : trans.__('Export Image as Dockerfile…'),
      caption: trans.__('Download the Dockerfile that gives an image again'),
      describedBy: imageArgs,
      isEnabled: inProject,
      execute: async args => {
        const image = await pick(
          args,
          trans.__('Export which image?'),
          () => true
        );
        if (image) {
          await (await actions()).exportDockerfile(image);
        }
      }
    });
    commands.addCommand(CommandIDs.deleteImage, {
      label: trans.__('Delete…'),
      caption: trans.__('Delete an image, after showing what that does'),
      describedBy: imageArgs,
      isEnabled: inProject,
      execute: async args => {
        const image = await pick(
          args,
          trans.__('Delete which image?'),
          each => !each.active
        );
        if (image) {
          await (await actions()).deleteImage(image);
        }
      }
    });
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Images'),
      caption: trans.__('Ask the server again'),
      describedBy: noArgs,
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
