import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { ISessionContext } from '@jupyterlab/apputils';
import { KernelAPI } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRestartable } from './components/activation';
import { sizeOf } from './difference';
import { report, tellWait } from './news';
import { messageOf } from './request';
import type {
  IImage,
  IImageManager,
  IPackageDiff,
  IProject,
  IProjectKernel
} from './tokens';
import { ActivationBody } from './widgets/activation';

/**
 * Changes what the kernels of a project run in, and restarts those that go along.
 */
export class Activator {
  constructor(private readonly _options: Activator.IOptions) {}

  /**
   * Let the project's kernels run in an image, after saying what changes by that where anything does.
   *
   * @param image - Null: the server environment.
   */
  async activate(project: IProject, image: IImage | null): Promise<void> {
    const { trans } = this._options;
    const name = this._nameOf(image);
    const kernels = await this._restartable(
      each => each.imageId !== (image?.id ?? null)
    );
    const diff = await this._difference(project.active_image, image);
    let wanted: string[] = [];
    if (kernels.length || (diff && sizeOf(diff))) {
      const answer = await showDialog({
        title: trans.__('Activate %1 in %2?', name, project.name),
        body: new ActivationBody({
          name,
          before: project.active_image?.spec,
          diff,
          kernels,
          trans
        }),
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.okButton({ label: trans.__('Activate') })
        ]
      });
      if (!answer.button.accept) {
        return;
      }
      wanted = answer.value ?? [];
    }
    if (await this._activate(project, image)) {
      const id = Notification.success(
        trans.__('%1 is active in %2.', name, project.name),
        {
          autoClose: 8000,
          actions: [
            {
              label: trans.__('Undo'),
              callback: () => {
                Notification.dismiss(id);
                void this._undo(project.id);
              }
            }
          ]
        }
      );
      await this._restartAll(
        kernels.filter(each => wanted.includes(each.kernelId)),
        name
      );
    }
  }

  /**
   * Restart kernels of the project in front that run elsewhere, after asking.
   *
   * @param kernelId - The one to restart; all of them when left out.
   */
  async restartKernels(kernelId?: string): Promise<void> {
    const { manager, trans } = this._options;
    if (kernelId && !manager.projectKernels.some(isKernel(kernelId))) {
      await manager.refresh(); // its notebook came to the front by the click
    }
    const name = this._nameOf(manager.project?.active_image ?? null);
    const kernels = await this._restartable(
      each => each.stale && (!kernelId || each.kernelId === kernelId)
    );
    if (!kernels.length) {
      return;
    }
    const answer = await showDialog({
      title: trans._n(
        'Restart the kernel that runs elsewhere?',
        'Restart the %1 kernels that run elsewhere?',
        kernels.length
      ),
      body: new ActivationBody({ name, diff: null, kernels, trans }),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Later') }),
        Dialog.okButton({
          label: trans._n(
            'Restart the kernel',
            'Restart the ticked kernels',
            kernels.length
          )
        })
      ]
    });
    if (answer.button.accept) {
      await this._restartAll(
        kernels.filter(each => answer.value?.includes(each.kernelId)),
        name
      );
    }
  }

  private _nameOf(image: IImage | null): string {
    return image ? image.spec : this._options.trans.__('Server environment');
  }

  /** Kernels of the project in front, and whether each runs a cell now. */
  private async _restartable(
    fits: (kernel: IProjectKernel) => boolean
  ): Promise<IRestartable[]> {
    const { manager } = this._options;
    const kernels = manager.projectKernels.filter(fits);
    if (!kernels.length) {
      return [];
    }
    // What is running says only every ten seconds what it does.
    const now = await KernelAPI.listRunning(manager.api.serverSettings).catch(
      () => []
    );
    const busy = new Set(
      now.filter(each => each.execution_state === 'busy').map(each => each.id)
    );
    return kernels.map(each => ({ ...each, busy: busy.has(each.kernelId) }));
  }

  /** What differs between what is active and what will be; null where that cannot be told. */
  private async _difference(
    before: IImage | null,
    image: IImage | null
  ): Promise<IPackageDiff | null> {
    if (!before || !image || before.id === image.id) {
      return null;
    }
    // A system image that is new here is looked into only by its activation.
    return this._options.manager.api
      .diff(before.id, image.id)
      .catch(() => null);
  }

  private async _activate(
    project: IProject,
    image: { id: string; spec: string } | null
  ): Promise<boolean> {
    const { manager, trans } = this._options;
    const name = image ? image.spec : this._nameOf(null);
    const activated = manager.api.activate(project.id, image ? image.id : null);
    const done = tellWait(
      trans.__(
        'Activating %1. An image that is new here is checked first.',
        name
      )
    );
    try {
      await activated;
    } catch (error) {
      report(trans, trans.__('%1 was not activated.', name), error);
      return false;
    } finally {
      done();
    }
    await manager.refresh();
    return true;
  }

  /** Back to what the server knows was active before; then to the kernels that went along. */
  private async _undo(projectId: string): Promise<void> {
    const { manager, trans } = this._options;
    try {
      const project = (await manager.api.projects()).find(
        each => each.id === projectId
      );
      if (!project) {
        return;
      }
      const previous = project.previous_image_id;
      const image = previous ? await manager.api.image(previous) : null;
      if (await this._activate(project, image)) {
        Notification.success(
          trans.__('%1 is active in %2.', this._nameOf(image), project.name),
          { autoClose: 4000 }
        );
        if (manager.project?.id === projectId) {
          await this.restartKernels();
        }
      }
    } catch (error) {
      report(
        trans,
        trans.__('What was active before is not active again.'),
        error
      );
    }
  }

  private async _restartAll(
    kernels: ReadonlyArray<IProjectKernel>,
    name: string
  ): Promise<void> {
    const { manager, trans } = this._options;
    if (!kernels.length) {
      return;
    }
    const restarted = Promise.all(
      kernels.map(kernel => this._restart(kernel))
    ).then(() => null);
    void Notification.promise(restarted, {
      pending: {
        message: trans._n(
          'Restarting the kernel',
          'Restarting %1 kernels',
          kernels.length
        )
      },
      success: {
        message: () =>
          trans._n(
            'The kernel runs in %2 now.',
            'All %1 kernels run in %2 now.',
            kernels.length,
            name
          ),
        options: { autoClose: 4000 }
      },
      error: {
        message: reason =>
          trans.__('A kernel did not restart: %1', messageOf(reason)),
        options: { autoClose: false }
      }
    });
    await restarted.catch(() => undefined);
    await manager.refresh();
  }

  private async _restart(kernel: IProjectKernel): Promise<void> {
    // A context that is open here must reconnect its own channels; other kernels are restarted by the server alone.
    const context = this._options
      .contexts()
      .find(each => each.session?.kernel?.id === kernel.kernelId);
    if (context) {
      await context.restartKernel();
    } else {
      await KernelAPI.restartKernel(
        kernel.kernelId,
        this._options.manager.api.serverSettings
      );
    }
  }
}

function isKernel(id: string): (kernel: IProjectKernel) => boolean {
  return kernel => kernel.kernelId === id;
}

/**
 * A namespace for what {@link Activator} is made from.
 */
export namespace Activator {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    manager: IImageManager;
    trans: TranslationBundle;
    /** The session contexts that are open in this tab. */
    contexts: () => ISessionContext[];
  }
}
