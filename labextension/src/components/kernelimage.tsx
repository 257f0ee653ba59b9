import { UseSignal } from '@jupyterlab/ui-components';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { IImageManager } from '../tokens';
import { Chip, Mark } from './parts';

/**
 * Names the environment in which a notebook's kernel runs, and whether a new kernel would run in another one.
 */
export function KernelImage(props: {
  manager: IImageManager;
  context: ISessionContext;
  trans: TranslationBundle;
  run: (command: string, args?: Record<string, string>) => void;
}): JSX.Element {
  const { manager, context, trans, run } = props;
  return (
    <UseSignal signal={context.kernelChanged}>
      {() => (
        <UseSignal signal={manager.stateChanged}>
          {() => {
            const id = context.session?.kernel?.id;
            const { project } = manager;
            if (!id || manager.server !== 'ready') {
              return null;
            }
            const kernel = manager.kernels.find(each => each.kernel_id === id);
            const here = manager.projectKernels.find(
              each => each.kernelId === id
            );
            if (!kernel && !here?.stale) {
              return null; // the server environment, as if this software were not installed
            }
            const name = kernel?.image ?? trans.__('Server environment');
            const stale = here?.stale ?? kernel?.stale ?? false;
            // Beside another notebook in front, this one may be of another project.
            const isKnown = here !== undefined;
            const image = isKnown ? project?.active_image : null;
            const active = !isKnown
              ? trans.__('another image')
              : (image?.spec ?? trans.__('the server environment'));
            const short =
              image && kernel?.image.startsWith(`${image.name}:`)
                ? `:${image.version}`
                : active;
            return (
              <button
                type="button"
                className="jp-ImageManager-kernel"
                title={
                  stale
                    ? trans.__(
                        'This kernel runs in %1; a new one would run in %2. Click to restart it.',
                        name,
                        active
                      )
                    : trans.__('This kernel runs in %1.', name)
                }
                onClick={() =>
                  stale
                    ? run(CommandIDs.restartKernels, { kernel_id: id })
                    : run(CommandIDs.openPanel)
                }
              >
                <Mark tone={kernel ? 'ok' : 'none'} />
                <span className="jp-ImageManager-cut">{name}</span>
                {stale && (
                  <Chip tone="warn">{trans.__('%1 is active', short)}</Chip>
                )}
              </button>
            );
          }}
        </UseSignal>
      )}
    </UseSignal>
  );
}
