import type { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Activation, tickedAtFirst } from '../components/activation';
import type { IRestartable } from '../components/activation';
import type { IPackageDiff } from '../tokens';

/**
 * The body of the question before a change of image; its value are the kernels to restart.
 */
export class ActivationBody
  extends ReactWidget
  implements Dialog.IBodyWidget<string[]>
{
  /**
   * Construct the body.
   */
  constructor(private readonly _options: ActivationBody.IOptions) {
    super();
    this.addClass('jp-ImageManager-dialog');
    this._ticked = tickedAtFirst(_options.kernels);
  }

  /**
   * The ids of the kernels with a tick.
   */
  getValue(): string[] {
    return this._ticked;
  }

  protected render(): JSX.Element {
    return (
      <Activation
        {...this._options}
        onTicked={ticked => {
          this._ticked = ticked;
        }}
      />
    );
  }

  private _ticked: string[];
}

/**
 * A namespace for what {@link ActivationBody} is made from.
 */
export namespace ActivationBody {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    name: string;
    before?: string;
    diff: IPackageDiff | null;
    kernels: ReadonlyArray<IRestartable>;
    trans: TranslationBundle;
  }
}
