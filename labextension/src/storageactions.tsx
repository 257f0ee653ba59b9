import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { goingOf } from './components/going';
import type { IGoing } from './components/going';
import { Doing, Preview } from './components/storagedialog';
import type { IDoing } from './components/storagedialog';
import { Migrating } from './components/storagemigration';
import { isDone, stateWord } from './format';
import { report } from './news';
import { StorageAPI } from './storageapi';
import type { StorageAction } from './storageapi';
import type { IImage, IImageManager } from './tokens';

/**
 * What a person can do with where an image is kept; each asks with the server's preview first.
 */
export class StorageActions {
  constructor(
    private readonly _manager: IImageManager,
    private readonly _trans: TranslationBundle
  ) {
    this._api = new StorageAPI(_manager.api);
  }

  /** Keep a copy on this machine on purpose. */
  optimize(image: IImage): Promise<void> {
    const trans = this._trans;
    let pull = '';
    return this._previewed(
      image,
      'optimize',
      trans.__('Optimize %1?', image.spec),
      {
        label: trans.__('Optimize %1', image.spec),
        done: trans.__('%1 is optimized.', image.spec),
        run: async () => {
          const begun = await this._api.optimize(image.id);
          if (!begun) {
            return null;
          }
          pull = begun.id;
          return async () => goingOf(await this._api.pull(pull), trans);
        },
        cancel: () => this._api.cancelPull(pull)
      }
    );
  }

  /** Give the optimized copy up. */
  unoptimize(image: IImage): Promise<void> {
    const trans = this._trans;
    return this._previewed(
      image,
      'unoptimize',
      trans.__('Give up the optimized copy of %1?', image.spec),
      {
        label: trans.__('Give up the copy'),
        done: trans.__('The optimized copy of %1 is given up.', image.spec),
        run: async confirm => {
          await this._api.unoptimize(image.id, confirm);
          return null;
        }
      }
    );
  }

  /** Delete the version in the registry. */
  deleteOriginal(image: IImage): Promise<void> {
    const trans = this._trans;
    return this._previewed(
      image,
      'delete-original',
      trans.__('Delete %1 in the registry?', image.spec),
      {
        label: trans.__('Delete it in the registry'),
        done: trans.__('%1 is deleted in the registry.', image.spec),
        run: async () => {
          await this._api.deleteOriginal(image.id);
          return null;
        }
      }
    );
  }

  /** Push what is saved on this machine only. */
  push(image: IImage): Promise<void> {
    const trans = this._trans;
    let build = '';
    return this._show(
      trans.__('Push %1 to the registry?', image.spec),
      {
        label: trans.__('Push %1', image.spec),
        done: trans.__('%1 is in the registry.', image.spec),
        run: async () => {
          build = (await this._api.push(image.id)).id;
          return async () => this._pushGoing(build);
        },
        cancel: async () => {
          await this._manager.api.cancel(build);
        }
      },
      <p>
        {trans.__(
          'It is saved on this machine only. It is pushed as it is, without being built; what came through before is not sent again.'
        )}
      </p>
    );
  }

  /** Rebuild an image that retires from its recipe. */
  async migrate(image: IImage): Promise<void> {
    const trans = this._trans;
    try {
      const plan = await this._api.previewMigration(image.id);
      await launch(
        trans.__('Migrate %1?', image.spec),
        <Migrating
          image={image}
          plan={plan}
          api={this._api}
          trans={trans}
          onChanged={this._changed}
        />,
        trans
      );
    } catch (error) {
      report(trans, trans.__('%1 was not migrated.', image.spec), error);
    }
  }

  private async _pushGoing(id: string): Promise<IGoing> {
    const trans = this._trans;
    const build = await this._manager.api.getBuild(id);
    const done = isDone(build);
    return {
      share: null,
      text: build.instruction || stateWord(build.state, trans),
      done,
      problem:
        done && build.state !== 'succeeded'
          ? (build.failure?.message ?? stateWord(build.state, trans))
          : ''
    };
  }

  private async _previewed(
    image: IImage,
    action: StorageAction,
    title: string,
    doing: IDoing
  ): Promise<void> {
    const trans = this._trans;
    try {
      const preview = await this._api.preview(image.id, action);
      const body = <Preview image={image} preview={preview} trans={trans} />;
      await this._show(
        title,
        preview.allowed ? doing : null,
        body,
        preview.final
      );
    } catch (error) {
      const what = trans.__('It is not known what that would do.');
      report(trans, what, error);
    }
  }

  private _show(
    title: string,
    doing: IDoing | null,
    body: JSX.Element,
    final = false
  ): Promise<void> {
    const trans = this._trans;
    return launch(
      title,
      doing ? (
        <Doing doing={doing} final={final} trans={trans} onDone={this._changed}>
          {body}
        </Doing>
      ) : (
        body
      ),
      trans
    );
  }

  private _changed = (): void => {
    void this._manager.refresh();
  };

  private _api: StorageAPI;
}

async function launch(
  title: string,
  content: JSX.Element,
  trans: TranslationBundle
): Promise<void> {
  const body = ReactWidget.create(content);
  body.addClass('jp-ImageManager-dialog');
  await new Dialog({
    title,
    body,
    buttons: [Dialog.cancelButton({ label: trans.__('Close') })],
    defaultButton: 0
  }).launch();
}
