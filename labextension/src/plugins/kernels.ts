import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';

import { sessionContexts } from '../sessions';
import { IImageManager } from '../tokens';

/**
 * Milliseconds that an idle kernel may take to answer before its channels count as dead.
 */
const PATIENCE = 5000;

/**
 * Connects again to kernels that were restarted from another tab, as they may have moved into another image.
 */
export const kernelsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-image-manager:kernels',
  description: 'Connects again to kernels that were restarted in another tab.',
  autoStart: true,
  requires: [IImageManager],
  activate: (app: JupyterFrontEnd, manager: IImageManager): void => {
    manager.kernelEvent.connect((_, event) => {
      if (event.action !== 'started') {
        return;
      }
      for (const context of sessionContexts(app)) {
        if (context.session?.kernel?.id === event.kernel_id) {
          void reconnect(context);
        }
      }
    });
  }
};

/**
 * Connect again when an idle kernel does not answer on the channels that it had.
 */
async function reconnect(context: ISessionContext): Promise<void> {
  const kernel = context.session?.kernel;
  if (!kernel || kernel.status !== 'idle') {
    return; // it is just being (re)started from here, or works
  }
  let timer = 0;
  const answered = await Promise.race([
    kernel.requestKernelInfo().then(
      () => true,
      () => false
    ),
    new Promise<boolean>(resolve => {
      timer = window.setTimeout(() => resolve(false), PATIENCE);
    })
  ]);
  window.clearTimeout(timer);
  if (!answered && !kernel.isDisposed && kernel.status === 'idle') {
    await kernel.reconnect();
  }
}
