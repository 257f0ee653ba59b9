import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { sizeOf } from '../difference';
import type { IPackageDiff, IProjectKernel } from '../tokens';
import { DiffTable } from './difftable';
import { Chip } from './parts';

/**
 * Packages that are shown before one asks for all.
 */
const FIRST = 8;

/**
 * A kernel that may be restarted, and whether it runs a cell now.
 */
export interface IRestartable extends IProjectKernel {
  busy: boolean;
}

/**
 * The kernels that are restarted unless the user says otherwise: those that lose no running cell.
 */
export function tickedAtFirst(kernels: ReadonlyArray<IRestartable>): string[] {
  return kernels.filter(each => !each.busy).map(each => each.kernelId);
}

/**
 * What a change of image does: to the packages, then to the kernels, each with a tick.
 */
export function Activation(props: {
  /** Name of what new kernels run in. */
  name: string;
  /** Name of what is active still. */
  before?: string;
  /** Null: nothing is known, or nothing is to be said. */
  diff: IPackageDiff | null;
  kernels: ReadonlyArray<IRestartable>;
  trans: TranslationBundle;
  onTicked: (kernelIds: string[]) => void;
}): JSX.Element {
  const { diff, kernels, name, trans, onTicked } = props;
  const [ticked, setTicked] = React.useState(() => tickedAtFirst(kernels));
  const id = React.useId();
  const tick = (kernelId: string, on: boolean) => {
    const now = [
      ...ticked.filter(each => each !== kernelId),
      ...(on ? [kernelId] : [])
    ];
    setTicked(now);
    onTicked(now);
  };
  return (
    <>
      {diff && sizeOf(diff) > 0 && (
        <section aria-labelledby={`${id}-packages`}>
          <h3 id={`${id}-packages`}>
            {trans.__('Packages against %1', props.before)}
          </h3>
          <DiffTable diff={diff} trans={trans} most={FIRST} />
        </section>
      )}
      {kernels.length > 0 && (
        <section aria-labelledby={`${id}-kernels`}>
          <h3 id={`${id}-kernels`}>
            {trans._n('Running kernel', 'Running kernels', kernels.length)}
          </h3>
          <p>
            {trans._n(
              'It keeps what it runs in until it restarts. Ticked, it restarts in %2 now: its variables are lost, files are safe.',
              'They keep what they run in until they restart. Those with a tick restart in %2 now: their variables are lost, files are safe.',
              kernels.length,
              name
            )}
          </p>
          <ul className="jp-ImageManager-plainList jp-ImageManager-ticks">
            {kernels.map(kernel => (
              <li key={kernel.kernelId}>
                <label>
                  <input
                    type="checkbox"
                    checked={ticked.includes(kernel.kernelId)}
                    aria-describedby={
                      kernel.busy ? `${id}-${kernel.kernelId}` : undefined
                    }
                    onChange={event =>
                      tick(kernel.kernelId, event.target.checked)
                    }
                  />
                  <span className="jp-ImageManager-cut" title={kernel.path}>
                    {kernel.path}
                  </span>
                  <span className="jp-ImageManager-sub">
                    {kernel.image ?? trans.__('Server environment')}
                  </span>
                  <Chip tone={kernel.busy ? 'busy' : 'none'}>
                    {kernel.busy ? trans.__('busy') : trans.__('idle')}
                  </Chip>
                </label>
                {kernel.busy && (
                  <div
                    id={`${id}-${kernel.kernelId}`}
                    className="jp-ImageManager-sub"
                  >
                    {trans.__(
                      'It is running a cell; what it has computed would be lost.'
                    )}
                  </div>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
