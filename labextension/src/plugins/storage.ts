import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  InputDialog,
  MainAreaWidget
} from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { argsOf, imageId } from '../commandargs';
import { CommandIDs } from '../commands';
import { imageIcon } from '../icons';
import type { StorageActions } from '../storageactions';
import { IImageManager } from '../tokens';
import type { IImage } from '../tokens';
import type { IPageOptions } from '../widgets/page';

/**
 * Adds what can be done with where images are kept; what does it is loaded on first use.
 */
export const storagePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:storage',
  description: 'Adds the commands about where images are kept.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator,
    palette: ICommandPalette | null
  ): void => {
    const trans = translator.load('jupyter_image_manager');
    const { commands } = app;
    const category = trans.__('Images');
    let made: Promise<StorageActions> | null = null;
    const actions = () =>
      (made ??= import('../storageactions').then(
        each => new each.StorageActions(manager, trans)
      ));

    const add = (
      id: string,
      label: string,
      caption: string,
      question: string,
      run: (actions: StorageActions, image: IImage) => Promise<void>,
      any?: (image: IImage) => boolean
    ): void => {
      commands.addCommand(id, {
        label,
        caption,
        describedBy: argsOf(imageId(trans)),
        isEnabled: () => manager.server === 'ready' && manager.project !== null,
        execute: async args => {
          let image: IImage | undefined;
          if (typeof args.image_id === 'string') {
            image =
              manager.image(args.image_id) ??
              (await manager.api.image(args.image_id));
          } else {
            const { storageMenu } = await import('../storage');
            const images = manager.images.filter(
              any ??
                (each => storageMenu(each).some(item => item.command === id))
            );
            const answer = await InputDialog.getItem({
              title: question,
              items: images.map(each => each.spec)
            });
            image = images.find(each => each.spec === answer.value);
          }
          if (image) {
            await run(await actions(), image);
          }
        }
      });
      palette?.addItem({ command: id, category });
    };

    const openPage = (
      id: string,
      title: string,
      create: () => MainAreaWidget['content']
    ): void => {
      const { shell } = app;
      if (![...shell.widgets('main')].some(each => each.id === id)) {
        const page = new MainAreaWidget({ content: create() });
        page.id = id;
        page.title.label = title;
        page.title.icon = imageIcon;
        page.title.closable = true;
        shell.add(page, 'main');
      }
      shell.activateById(id);
    };
    const options: IPageOptions = { manager, commands, trans };
    commands.addCommand(CommandIDs.openCommunities, {
      label: trans.__('Registries…'),
      caption: trans.__('Say where the images of communities are kept'),
      describedBy: argsOf({}),
      isEnabled: () => manager.server === 'ready',
      execute: async () => {
        const { createCommunityWidget } =
          await import('../widgets/storagepages');
        openPage(
          'jupyter-image-manager-communities',
          trans.__('Registries'),
          () => createCommunityWidget(options)
        );
      }
    });
    commands.addCommand(CommandIDs.openUsage, {
      label: trans.__('What Images Take…'),
      caption: trans.__('Show what images hold where, and what it costs'),
      describedBy: argsOf({}),
      isEnabled: () => manager.server === 'ready' && manager.project !== null,
      execute: async () => {
        const { project } = manager;
        if (project) {
          const { createUsageWidget } = await import('../widgets/storagepages');
          openPage(
            `jupyter-image-manager-usage-${project.id}`,
            trans.__('What images of %1 take', project.name),
            () => createUsageWidget({ ...options, project: project.id })
          );
        }
      }
    });
    palette?.addItem({ command: CommandIDs.openCommunities, category });
    palette?.addItem({ command: CommandIDs.openUsage, category });

    add(
      CommandIDs.optimizeImage,
      trans.__('Optimize…'),
      trans.__('Keep a copy of an image on this machine on purpose'),
      trans.__('Optimize which image?'),
      (each, image) => each.optimize(image)
    );
    add(
      CommandIDs.unoptimizeImage,
      trans.__('Give Up the Optimized Copy…'),
      trans.__('Let an image go back to its version in the registry'),
      trans.__('Give up the optimized copy of which image?'),
      (each, image) => each.unoptimize(image)
    );
    add(
      CommandIDs.deleteOriginal,
      trans.__('Delete the Version in the Registry…'),
      trans.__('Delete what the registry has of an image'),
      trans.__('Delete which image in the registry?'),
      (each, image) => each.deleteOriginal(image)
    );
    add(
      CommandIDs.pushImage,
      trans.__('Push Again…'),
      trans.__(
        'Push an image that is saved on this machine only, without building it'
      ),
      trans.__('Push which image?'),
      (each, image) => each.push(image)
    );
    add(
      CommandIDs.migrateImage,
      trans.__('Migrate…'),
      trans.__(
        'Build an image anew from its recipe, and activate the new version wherever the old one is'
      ),
      trans.__('Migrate which image?'),
      (each, image) => each.migrate(image),
      image => image.state === 'ready'
    );
  }
};
