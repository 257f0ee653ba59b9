import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRunSettings } from '../tokens';

type Mounts = IRunSettings['mounts'];

/**
 * Folders of the machine that kernels see: those that the administrator allows, and what was mounted below them.
 */
export function RunMounts(props: {
  id: string;
  value: Mounts;
  allowed: ReadonlyArray<string>;
  trans: TranslationBundle;
  onChange: (mounts: Mounts) => void;
  problem: JSX.Element | null;
}): JSX.Element | null {
  const { allowed, id, trans, value } = props;
  const others = value.filter(mount => !allowed.includes(mount.source));
  // A folder has the same path in the kernels as on the machine.
  const offered = [
    ...allowed.map(
      source =>
        value.find(mount => mount.source === source) ?? {
          source,
          target: source,
          read_only: true
        }
    ),
    ...others
  ];
  if (!offered.length) {
    return null;
  }
  const isOn = (source: string) => value.some(mount => mount.source === source);
  return (
    <fieldset
      id={id}
      tabIndex={-1}
      aria-describedby={props.problem ? `${id}-problem` : undefined}
    >
      <legend>{trans.__('Folders of the machine')}</legend>
      {offered.map(mount => (
        <div key={mount.source} className="jp-ImageManager-runMount">
          <label className="jp-ImageManager-runTick">
            <input
              type="checkbox"
              checked={isOn(mount.source)}
              onChange={event =>
                props.onChange(
                  event.target.checked
                    ? [...value, mount]
                    : value.filter(each => each.source !== mount.source)
                )
              }
            />
            <span>
              {mount.source}
              {mount.target !== mount.source && ` → ${mount.target}`}
            </span>
          </label>
          <label className="jp-ImageManager-runTick">
            <input
              type="checkbox"
              aria-label={trans.__('Kernels may change %1', mount.source)}
              disabled={!isOn(mount.source)}
              checked={isOn(mount.source) && !mount.read_only}
              onChange={event =>
                props.onChange(
                  value.map(each =>
                    each.source === mount.source
                      ? { ...each, read_only: !event.target.checked }
                      : each
                  )
                )
              }
            />
            {trans.__('Kernels may change it')}
          </label>
        </div>
      ))}
      {props.problem}
    </fieldset>
  );
}
