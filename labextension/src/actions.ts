import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { deletionBody, diffBody } from './dialogs';
import { download } from './download';
import { formatSize } from './format';
import { dockerfileOf } from './imagemodel';
import { isDistribution } from './modules';
import { report } from './news';
import { requestVersion } from './offers';
import { RequestError } from './request';
import type { IImage, IImageManager, IProject } from './tokens';

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
      report(trans, trans.__('“%1” was not made a project.', name), error);
      return null;
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
      report(trans, trans.__('%1 was not checked.', image.spec), error);
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
      report(trans, trans.__('The build was not cancelled.'), error);
    }
    await manager.refresh();
  }

  /**
   * Run a finished build again; of an image that is made, only what is left: its check, or its push.
   *
   * @returns The id of the build, or null when it was refused.
   */
  async retryBuild(buildId: string): Promise<string | null> {
    const { manager, trans } = this._options;
    try {
      const build = await manager.api.retry(buildId);
      await manager.refresh();
      return build.id;
    } catch (error) {
      report(trans, trans.__('The build was not started again.'), error);
      return null;
    }
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
      report(trans, trans.__('%1 was not mended.', image.spec), error);
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
      report(
        trans,
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
      report(trans, what, trans.__('This is no name of a package: %1', which));
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
      report(trans, what, error);
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
        report(trans, what, trans.__('It was not built from a Dockerfile.'));
      }
    } catch (error) {
      report(trans, what, error);
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
      report(trans, trans.__('%1 was not deleted.', image.spec), error);
    }
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
  }
}
