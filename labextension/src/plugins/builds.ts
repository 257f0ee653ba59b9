import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { attended } from '../attended';
import { CommandIDs } from '../commands';
import { IImageManager } from '../tokens';
import type { IBuild } from '../tokens';

/**
 * Says that a build of the project in front has ended, with the next step.
 */
export const buildsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:builds',
  description: 'Says that a build has ended, with the next step.',
  autoStart: true,
  requires: [IImageManager, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    manager: IImageManager,
    translator: ITranslator
  ): void => {
    const trans = translator.load('jupyter_image_manager');
    const step = (
      label: string,
      command: string,
      args: Record<string, string> = {}
    ) => ({
      label,
      callback: () => {
        void app.commands.execute(command, args);
      }
    });
    const succeeded = (build: IBuild, spec: string) => {
      const active = manager.project?.active_image_id === build.image_id;
      const stale = manager.projectKernels.some(kernel => kernel.stale);
      if (active) {
        Notification.success(trans.__('%1 is ready and active.', spec), {
          autoClose: 10000,
          actions: stale
            ? [step(trans.__('Restart kernels…'), CommandIDs.restartKernels)]
            : []
        });
        return;
      }
      if (manager.image(build.image_id)?.state !== 'ready') {
        Notification.warning(
          trans.__('%1 is built, but cannot run kernels.', spec),
          {
            autoClose: false,
            actions: [
              step(trans.__('Mend'), CommandIDs.fixImage, {
                image_id: build.image_id
              })
            ]
          }
        );
        return;
      }
      Notification.success(trans.__('%1 is ready.', spec), {
        autoClose: 10000,
        actions: [
          step(trans.__('Activate'), CommandIDs.activate, {
            image_id: build.image_id
          })
        ]
      });
    };
    manager.buildEnded.connect((_, build) => {
      if (attended.has(build.id)) {
        return; // the notebook that waits for it says so
      }
      const spec = manager.image(build.image_id)?.spec ?? trans.__('The image');
      if (build.state === 'succeeded') {
        succeeded(build, spec);
      } else if (build.state === 'failed' || build.state === 'interrupted') {
        Notification.error(
          trans.__('%1 was not built. Nothing else has changed.', spec),
          {
            autoClose: 15000,
            actions: [
              step(trans.__('See why'), CommandIDs.openLog, {
                build_id: build.id
              })
            ]
          }
        );
      }
    });
  }
};
