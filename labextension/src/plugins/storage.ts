import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { argsOf, imageId } from '../commandargs';
import { CommandIDs } from '../commands';
import type { StorageActions } from '../storageactions';
import { IImageManager } from '../tokens';
import type { IImage } from '../tokens';

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
