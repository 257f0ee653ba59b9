import { UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { buildStep, buildTime } from '../format';
import { imageIcon } from '../icons';
import type { IBuild, IImageManager } from '../tokens';
import { goingOf } from './going';
import { useNow } from './parts';

/**
 * The active image of the project in front, and what is being built.
 */
export function StatusItem(props: {
  manager: IImageManager;
  trans: TranslationBundle;
  run: (command: string, args?: Record<string, string>) => void;
}): JSX.Element {
  const { manager, trans, run } = props;
  return (
    <UseSignal signal={manager.stateChanged}>
      {() => {
        const { project, builds, pulls } = manager;
        if (!project) {
          return null;
        }
        const active = project.active_image;
        const name = active ? active.spec : trans.__('Server environment');
        return (
          <div className="jp-ImageManager-status">
            <button
              type="button"
              title={trans.__('Kernels of %1 run in: %2', project.name, name)}
              onClick={() => run(CommandIDs.openPanel)}
            >
              <imageIcon.react tag="span" width="14px" height="14px" />
              <span className="jp-ImageManager-cut">{name}</span>
              {active && active.state !== 'ready' && (
                <span data-tone="error">{trans.__('cannot start')}</span>
              )}
            </button>
            {pulls.length > 0 && (
              <button
                type="button"
                title={trans.__('Show the panel')}
                onClick={() => run(CommandIDs.openPanel)}
              >
                <span className="jp-ImageManager-cut">
                  {trans.__(
                    'bringing %1: %2',
                    manager.image(pulls[0].image_id)?.spec ?? '',
                    goingOf(pulls[0], trans).text
                  )}
                </span>
              </button>
            )}
            {builds.length > 0 && (
              <BuildProgress
                build={builds[0]}
                spec={manager.image(builds[0].image_id)?.spec ?? ''}
                more={builds.length - 1}
                trans={trans}
                onClick={() =>
                  run(CommandIDs.openLog, { build_id: builds[0].id })
                }
              />
            )}
          </div>
        );
      }}
    </UseSignal>
  );
}

function BuildProgress(props: {
  build: IBuild;
  spec: string;
  more: number;
  trans: TranslationBundle;
  onClick: () => void;
}): JSX.Element {
  const { build, spec, more, trans } = props;
  const now = useNow(true);
  const parts = [trans.__('building %1', spec), buildStep(build, trans)];
  if (build.state !== 'queued') {
    parts.push(buildTime(build, trans, now));
  }
  if (more > 0) {
    parts.push(trans._n('%1 more', '%1 more', more));
  }
  return (
    <button
      type="button"
      title={trans.__('Show the log')}
      onClick={props.onClick}
    >
      <span className="jp-ImageManager-cut">{parts.join(', ')}</span>
    </button>
  );
}
