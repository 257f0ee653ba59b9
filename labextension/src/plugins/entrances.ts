import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import type { Contents } from '@jupyterlab/services';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { imageIcon } from '../icons';
import { nearestProject } from '../kernels';
import { kindOfFile, newImageArgs } from '../recipefiles';
import { IImageManager } from '../tokens';

/**
 * Lets people begin where they are: at a file or folder, in the launcher.
 */
export const entrancesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:entrances',
  description:
    'Adds the ways to the image manager from the launcher and the file browser.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  optional: [ILauncher, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator,
    launcher: ILauncher | null,
    browsers: IFileBrowserFactory | null
  ): void => {
    const trans = translator.load('jupyter_image_manager');
    const { commands, serviceManager } = app;
    const ready = () => manager.server === 'ready';
    const noArgs = { args: { type: 'object' as const, properties: {} } };
    const local = (path: string) => serviceManager.contents.localPath(path);

    const selected = (): Contents.IModel | null => {
      const items = [
        ...(browsers?.tracker.currentWidget?.selectedItems() ?? [])
      ];
      return items.length === 1 ? items[0] : null;
    };
    const selectedFolder = () => {
      const item = selected();
      return item?.type === 'directory' ? item : null;
    };
    const selectedFile = () => {
      const item = selected();
      return item && item.type !== 'directory' && kindOfFile(item.name)
        ? item
        : null;
    };

    commands.addCommand(CommandIDs.createSelected, {
      label: trans.__('Make It a Project'),
      caption: trans.__('Let this folder have images of its own'),
      icon: imageIcon,
      describedBy: noArgs,
      isVisible: () => ready() && selectedFolder() !== null,
      execute: () => {
        const folder = selectedFolder();
        return (
          folder &&
          commands.execute(CommandIDs.createProject, {
            path: local(folder.path)
          })
        );
      }
    });
    commands.addCommand(CommandIDs.newImageFromSelected, {
      label: trans.__('Build an Image from It…'),
      caption: trans.__('Describe an image that begins with this file'),
      icon: imageIcon,
      describedBy: noArgs,
      isVisible: () => ready() && selectedFile() !== null,
      execute: () => {
        const file = selectedFile();
        return (
          file &&
          commands.execute(CommandIDs.newImageFrom, {
            path: local(file.path)
          })
        );
      }
    });
    commands.addCommand(CommandIDs.newImageFrom, {
      label: trans.__('Build an Image from a File'),
      caption: trans.__(
        'Describe an image that begins with a Dockerfile, a requirements.txt or an environment.yml'
      ),
      icon: imageIcon,
      describedBy: {
        args: {
          type: 'object',
          required: ['path'],
          properties: {
            path: {
              type: 'string',
              description: trans.__('File, relative to the server’s root')
            }
          }
        }
      },
      isEnabled: ready,
      execute: async args => {
        const path = String(args.path);
        if (!kindOfFile(PathExt.basename(path))) {
          Notification.info(
            trans.__(
              'No image can be built from “%1”; take a Dockerfile, a requirements.txt or an environment.yml.',
              PathExt.basename(path)
            )
          );
          return;
        }
        const folder = PathExt.dirname(path);
        let project = nearestProject(path, await manager.api.projects());
        if (!project) {
          const made: unknown = await commands.execute(
            CommandIDs.createProject,
            { path: folder }
          );
          if (!made) {
            return; // not wanted, or refused with its reason
          }
          project = nearestProject(path, await manager.api.projects());
        }
        const found = project && newImageArgs(path, project.jupyter_path ?? '');
        if (project && found) {
          if (manager.project?.id !== project.id) {
            manager.setPath(path, false);
            await manager.refresh();
          }
          await commands.execute(CommandIDs.newImage, found);
        }
      }
    });

    launcher?.add({
      command: CommandIDs.newImage,
      args: { isLauncher: true },
      category: trans.__('Other'),
      rank: 10
    });
  }
};
