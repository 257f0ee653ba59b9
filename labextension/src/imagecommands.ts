import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { Actions } from './actions';
import type { Activator } from './activator';
import { argsOf, imageId } from './commandargs';
import { CommandIDs } from './commands';
import type { Pages } from './pages';
import { SERVER_ENVIRONMENT } from './tokens';
import type { IImage, IImageManager } from './tokens';

/**
 * A command about one image, which is asked for where it is not named.
 */
interface IImageCommand {
  /** Of a menu about an image, and elsewhere. */
  label: string;
  anyLabel?: string;
  caption: string;
  question: string;
  /** Whether an image can be chosen. */
  fits: (image: IImage) => boolean;
  isEnabled?: (args: ReadonlyPartialJSONObject) => boolean;
  /** Further arguments, each with what it is. */
  args?: Record<string, string>;
  run: (image: IImage, args: ReadonlyPartialJSONObject) => Promise<void>;
}

/**
 * Add the commands about images.
 */
export function addImageCommands(options: {
  app: JupyterFrontEnd;
  manager: IImageManager;
  trans: TranslationBundle;
  pages: Pages;
  /** Loaded on first use, as all that they do. */
  actions: () => Promise<Actions>;
  activator: () => Promise<Activator>;
}): void {
  const { app, manager, trans, pages, actions, activator } = options;
  const { commands } = app;
  const inProject = () =>
    manager.server === 'ready' && manager.project !== null;
  const isMade = (image: IImage) =>
    image.state === 'ready' || image.state === 'unusable';
  const isNext = (image: IImage) => image.state === 'ready' && !image.active;
  const showLog = async (build: string | null) => {
    if (build) {
      await pages.openLog(build);
    }
  };

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

  const add = (id: string, command: IImageCommand): void => {
    const { label, anyLabel, caption, question, fits, run } = command;
    commands.addCommand(id, {
      label: args =>
        typeof args.image_id === 'string' ? label : (anyLabel ?? label),
      caption,
      describedBy: argsOf({ ...imageId(trans), ...command.args }),
      isEnabled: args => inProject() && (command.isEnabled?.(args) ?? true),
      execute: async args => {
        const image = await pick(args, question, fits);
        if (image) {
          await run(image, args);
        }
      }
    });
  };

  add(CommandIDs.activate, {
    label: trans.__('Activate'),
    anyLabel: trans.__('Activate Image…'),
    caption: trans.__('Run the kernels of this project in an image'),
    question: trans.__('Activate which image?'),
    fits: isNext,
    run: async image => {
      if (manager.project) {
        await (await activator()).activate(manager.project, image);
      }
    }
  });
  commands.addCommand(CommandIDs.deactivate, {
    label: trans.__('Back to the Server Environment'),
    caption: trans.__(
      'Run the kernels of this project in the server’s own Python'
    ),
    describedBy: argsOf({}),
    isEnabled: () => inProject() && manager.project?.active_image_id !== null,
    execute: async () => {
      if (manager.project) {
        await (await activator()).activate(manager.project, null);
      }
    }
  });
  commands.addCommand(CommandIDs.restartKernels, {
    label: trans.__('Restart Kernels That Run Elsewhere…'),
    caption: trans.__(
      'Let every kernel of this project run in the active image'
    ),
    describedBy: argsOf({
      kernel_id: trans.__(
        'Id of the one kernel to restart; all that run elsewhere when left out'
      )
    }),
    isEnabled: args =>
      typeof args.kernel_id === 'string' ||
      manager.projectKernels.some(kernel => kernel.stale),
    execute: async args =>
      (await activator()).restartKernels(
        typeof args.kernel_id === 'string' ? args.kernel_id : undefined
      )
  });
  add(CommandIDs.openImage, {
    label: trans.__('Show Details'),
    anyLabel: trans.__('Show Image…'),
    caption: trans.__('Show all about an image'),
    question: trans.__('Show which image?'),
    fits: () => true,
    run: image => pages.openImage(image)
  });
  add(CommandIDs.fixImage, {
    label: trans.__('Add What Is Missing and Rebuild'),
    caption: trans.__(
      'Append the missing requirements to the recipe and build the next version'
    ),
    question: trans.__('Mend which image?'),
    fits: image => image.state === 'unusable',
    run: async image => showLog(await (await actions()).fixImage(image))
  });
  add(CommandIDs.checkImage, {
    label: trans.__('Check Again'),
    anyLabel: trans.__('Check Image…'),
    caption: trans.__('Look once more whether an image can run kernels'),
    question: trans.__('Check which image?'),
    fits: isMade,
    run: async image => showLog(await (await actions()).checkImage(image))
  });
  add(CommandIDs.compareImage, {
    label: trans.__('Compare with What Is Active'),
    caption: trans.__(
      'Show the packages in which an image differs from the active one, or from the server environment'
    ),
    question: trans.__('Compare which image?'),
    fits: isNext,
    isEnabled: args => manager.project?.active_image_id !== args.image_id,
    run: async image => {
      const active = manager.project?.active_image ?? {
        id: SERVER_ENVIRONMENT,
        spec: trans.__('Server environment')
      };
      await (await actions()).compare(active, image);
    }
  });
  add(CommandIDs.addPackages, {
    label: trans.__('Build a New Version with More Packages…'),
    caption: trans.__(
      'Build the next version of an image from its recipe, with more Python packages'
    ),
    question: trans.__('Add packages to which image?'),
    fits: image => image.state === 'ready',
    args: {
      packages: trans.__(
        'Python packages, with white space between them; asked for when left out'
      )
    },
    run: async (image, args) => {
      const packages =
        typeof args.packages === 'string'
          ? args.packages
          : (
              await InputDialog.getText({
                title: trans.__('Packages that %1 lacks', image.spec),
                label: trans.__('Python packages, with spaces between them')
              })
            ).value;
      if (packages) {
        const names = packages.split(/\s+/);
        await showLog(await (await actions()).addPackages(image, names));
      }
    }
  });
  add(CommandIDs.exportDockerfile, {
    label: trans.__('Export as Dockerfile'),
    anyLabel: trans.__('Export Image as Dockerfile…'),
    caption: trans.__('Download the Dockerfile that gives an image again'),
    question: trans.__('Export which image?'),
    fits: () => true,
    run: async image => (await actions()).exportDockerfile(image)
  });
  add(CommandIDs.deleteImage, {
    label: trans.__('Delete…'),
    caption: trans.__('Delete an image, after showing what that does'),
    question: trans.__('Delete which image?'),
    fits: image => !image.active,
    run: async image => (await actions()).deleteImage(image)
  });
}

/**
 * Add the commands about builds.
 */
export function addBuildCommands(options: {
  app: JupyterFrontEnd;
  trans: TranslationBundle;
  pages: Pages;
  actions: () => Promise<Actions>;
}): void {
  const { app, trans, pages, actions } = options;
  const { commands } = app;
  const describedBy = argsOf({ build_id: trans.__('Id of a build') }, [
    'build_id'
  ]);
  commands.addCommand(CommandIDs.openLog, {
    label: trans.__('Show Log'),
    caption: trans.__('Show the log of a build'),
    describedBy,
    execute: args => pages.openLog(String(args.build_id))
  });
  commands.addCommand(CommandIDs.cancelBuild, {
    label: trans.__('Cancel Build'),
    caption: trans.__('Stop a build and remove what it left'),
    describedBy,
    execute: async args => (await actions()).cancelBuild(String(args.build_id))
  });
  commands.addCommand(CommandIDs.retryBuild, {
    label: trans.__('Try Again'),
    caption: trans.__('Run a finished build again'),
    describedBy,
    execute: async args => {
      const id = String(args.build_id);
      const started = await (await actions()).retryBuild(id);
      if (started !== null) {
        pages.closeLog(id);
        await pages.openLog(started);
      }
    }
  });
}
