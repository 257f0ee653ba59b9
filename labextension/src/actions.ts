import {
  Dialog,
  Notification,
  showDialog,
  showErrorMessage
} from '@jupyterlab/apputils';
import type { ISessionContext } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { KernelAPI } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { sizeOf } from './components/activation';
import type { IRestartable } from './components/activation';
import { deletionBody, diffBody } from './dialogs';
import { download } from './download';
import { formatSize } from './format';
import { dockerfileOf } from './imagemodel';
import { isDistribution } from './modules';
import { requestVersion } from './offers';
import { RequestError, messageOf } from './request';
import type {
  IImage,
  IImageManager,
  IPackageDiff,
  IProject,
  IProjectKernel
} from './tokens';
import { ActivationBody } from './widgets/activation';

/**
 * From this length on JupyterLab cuts a notification.
 */
const NOTIFICATION_LENGTH = 140;

/**
 * Milliseconds that a person waits without being told for what.
 */
const MOMENT = 400;

/**
 * What a person can do, with the questions and the news that go with it.
 */
export class Actions {
  constructor(private readonly _options: Actions.IOptions) {}

  /**
   * Make a folder a project.
   *
   * @returns The project, or null when it was refused or not wanted.
   */
  async createProject(folder: string): Promise<IProject | null> {
    const { manager, trans } = this._options;
    const name = PathExt.basename(folder) || trans.__('Home');
    try {
      const project = await this._create(folder, name);
      if (project) {
        await manager.refresh();
      }
      return project;
    } catch (error) {
      this.report(trans.__('“%1” was not made a project.', name), error);
      return null;
    }
  }

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

  /**
   * Check an image once more.
   *
   * @returns The id of the check, or null when it was refused.
   */
  async checkImage(image: IImage): Promise<string | null> {
    const { manager, trans } = this._options;
    try {
      const check = await manager.api.check(image.id);
      await manager.refresh();
      return check.id;
    } catch (error) {
      this.report(trans.__('%1 was not checked.', image.spec), error);
      return null;
    }
  }

  /**
   * Cancel a build.
   */
  async cancelBuild(buildId: string): Promise<void> {
    const { manager, trans } = this._options;
    try {
      await manager.api.cancel(buildId);
    } catch (error) {
      this.report(trans.__('The build was not cancelled.'), error);
    }
    await manager.refresh();
  }

  /**
   * Run a finished build again.
   *
   * @returns Whether it was accepted.
   */
  async retryBuild(buildId: string): Promise<boolean> {
    const { manager, trans } = this._options;
    try {
      await manager.api.retry(buildId);
    } catch (error) {
      this.report(trans.__('The build was not started again.'), error);
      return false;
    }
    await manager.refresh();
    return true;
  }

  /**
   * Append what an image lacks and build its next version.
   *
   * @returns The id of the build, or null when it was refused.
   */
  async fixImage(image: IImage): Promise<string | null> {
    const { manager, trans } = this._options;
    try {
      const build = await manager.api.fix(image.id);
      await manager.refresh();
      return build.id;
    } catch (error) {
      this.report(trans.__('%1 was not mended.', image.spec), error);
      return null;
    }
  }

  /**
   * Show the packages in which two images differ.
   */
  async compare(
    old: { id: string; spec: string },
    image: { id: string; spec: string }
  ): Promise<void> {
    const { manager, trans } = this._options;
    try {
      const diff = await manager.api.diff(old.id, image.id);
      await showDialog({
        title: trans.__('%1 against %2', image.spec, old.spec),
        body: diffBody(diff, trans),
        buttons: [Dialog.okButton({ label: trans.__('Close') })]
      });
    } catch (error) {
      this.report(
        trans.__('%1 and %2 were not compared.', image.spec, old.spec),
        error
      );
    }
  }

  /**
   * Build the next version of an image with more packages.
   *
   * @returns The id of the build, or null when it was refused.
   */
  async addPackages(
    image: IImage,
    packages: ReadonlyArray<string>
  ): Promise<string | null> {
    const { manager, trans } = this._options;
    const names = packages.filter(Boolean);
    const wrong = names.filter(each => !isDistribution(each));
    const what = trans.__('No new version of %1 is built.', image.name);
    if (wrong.length) {
      const which = wrong.join(', ');
      this.report(what, trans.__('This is no name of a package: %1', which));
    }
    if (wrong.length || !names.length) {
      return null;
    }
    try {
      const project = { id: image.project_id };
      const made = await requestVersion(manager, project, image, names);
      await manager.refresh();
      return made.build.id;
    } catch (error) {
      this.report(what, error);
      return null;
    }
  }

  /**
   * Download the Dockerfile that gives an image again.
   */
  async exportDockerfile(image: IImage): Promise<void> {
    const { manager, trans } = this._options;
    const what = trans.__('%1 was not exported.', image.spec);
    try {
      const text = dockerfileOf(await manager.api.recipe(image.id));
      if (text) {
        download(`${image.name}-${image.version}.dockerfile`, text);
      } else {
        this.report(what, trans.__('It was not built from a Dockerfile.'));
      }
    } catch (error) {
      this.report(what, error);
    }
  }

  /**
   * Delete an image after showing what that does.
   */
  async deleteImage(image: IImage): Promise<void> {
    const { manager, trans } = this._options;
    try {
      const preview = await manager.api.deletion(image.id);
      if (!preview.allowed) {
        await showDialog({
          title: trans.__('%1 cannot be deleted', image.spec),
          body: deletionBody(image, preview, trans),
          buttons: [Dialog.okButton({ label: trans.__('Close') })]
        });
        return;
      }
      const answer = await showDialog({
        title: trans.__('Delete %1?', image.spec),
        body: deletionBody(image, preview, trans),
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.warnButton({ label: trans.__('Delete %1', image.spec) })
        ],
        defaultButton: 0
      });
      if (!answer.button.accept) {
        return;
      }
      await manager.api.deleteImage(image.id);
      Notification.success(
        preview.frees
          ? trans.__(
              '%1 is deleted, %2 are free again.',
              image.spec,
              formatSize(preview.frees)
            )
          : trans.__('%1 is deleted.', image.spec),
        { autoClose: 4000 }
      );
    } catch (error) {
      this.report(trans.__('%1 was not deleted.', image.spec), error);
    }
    await manager.refresh();
  }

  /**
   * Say what did not happen, and why.
   */
  report(what: string, error: unknown): void {
    const { trans } = this._options;
    const reason = messageOf(error);
    const text = `${what} ${reason}`;
    Notification.error(text, {
      autoClose: false,
      actions:
        text.length > NOTIFICATION_LENGTH
          ? [
              {
                label: trans.__('Show all'),
                callback: () => {
                  void showErrorMessage(what, reason);
                }
              }
            ]
          : []
    });
  }

  /**
   * Say what is waited for when it takes longer than a moment.
   *
   * @returns A function that takes it back.
   */
  private _tellWait(text: string): () => void {
    let id = '';
    const timer = window.setTimeout(() => {
      id = Notification.emit(text, 'in-progress', { autoClose: false });
    }, MOMENT);
    return () => {
      window.clearTimeout(timer);
      if (id) {
        Notification.dismiss(id);
      }
    };
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
    const done = this._tellWait(
      trans.__(
        'Activating %1. An image that is new here is checked first.',
        name
      )
    );
    try {
      await activated;
    } catch (error) {
      this.report(trans.__('%1 was not activated.', name), error);
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
      this.report(
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

  private async _create(
    folder: string,
    name: string
  ): Promise<IProject | null> {
    const { manager, trans } = this._options;
    try {
      return await manager.api.createProject(folder, undefined, false);
    } catch (error) {
      if (!(error instanceof RequestError) || error.status !== 409) {
        throw error;
      }
      const outer = await manager.api.projectOf(folder);
      if (!outer) {
        throw error;
      }
      if (outer.jupyter_path === folder) {
        return outer; // somebody was faster: another tab, a second click
      }
      const answer = await showDialog({
        title: trans.__('Make “%1” a project of its own?', name),
        body: trans.__(
          'It lies in the project %1. Its notebooks would no longer run in that project’s image.',
          outer.name
        ),
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.okButton({ label: trans.__('Make it a project') })
        ]
      });
      return answer.button.accept
        ? await manager.api.createProject(folder, undefined, true)
        : null;
    }
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
 * A namespace for what {@link Actions} is made from.
 */
export namespace Actions {
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
