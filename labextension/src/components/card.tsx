import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { IProject } from '../tokens';
import { useView } from './context';
import { actionsOf, factOf, toneOf } from './facts';
import { ActionButton, Chip, ImageName, Mark } from './parts';
import { RunSettingsLine } from './runsettingsline';

/**
 * The answer to "which environment am I in?".
 */
export function ActiveCard({ project }: { project: IProject }): JSX.Element {
  const { manager, trans, run, openMenu } = useView();
  const kernels = manager.projectKernels;
  const stale = kernels.filter(kernel => kernel.stale);
  const current = kernels.length - stale.length;
  const image = project.active_image;
  const inImages = new Set(
    stale.map(kernel => kernel.image ?? trans.__('the server environment'))
  );
  return (
    <section
      className="jp-ImageManager-card"
      data-tone={image ? toneOf(image) : 'none'}
      aria-label={trans.__('Active image')}
    >
      <div className="jp-ImageManager-rowTitle">
        <Mark tone={image ? toneOf(image) : 'none'} />
        {image ? (
          <ImageName name={image.name} version={image.version} />
        ) : (
          <span className="jp-ImageManager-name">
            {trans.__('Server environment')}
          </span>
        )}
        <Chip
          tone={
            image ? (toneOf(image) === 'ok' ? 'ok' : toneOf(image)) : 'none'
          }
        >
          {!image
            ? trans._p('server environment', 'Active')
            : image.state === 'ready'
              ? trans.__('Active')
              : trans.__('Cannot start')}
        </Chip>
        {image && (
          <button
            type="button"
            className="jp-ImageManager-more"
            title={trans.__('More')}
            aria-label={trans.__('More about %1', image.spec)}
            aria-haspopup="menu"
            onClick={event =>
              openMenu(actionsOf(image, trans).menu, event.currentTarget)
            }
          >
            <ellipsesIcon.react tag="span" width="16px" height="16px" />
          </button>
        )}
      </div>
      <div className="jp-ImageManager-sub">
        {image
          ? factOf(image, manager.lastBuild(image), trans)
          : trans.__('Kernels here run in the server’s own Python.')}
      </div>
      {(current > 0 || stale.length > 0) && (
        <div className="jp-ImageManager-cardLine">
          {(current > 0 || image) && (
            <span className="jp-ImageManager-sub">
              {current > 0
                ? trans._n(
                    '%1 kernel runs in it',
                    '%1 kernels run in it',
                    current
                  )
                : trans.__('No kernel runs in it yet')}
            </span>
          )}
          {stale.length > 0 && (
            <span className="jp-ImageManager-cardLine">
              <Chip tone="warn">
                {inImages.size === 1
                  ? trans.__('%1 still in %2', stale.length, [...inImages][0])
                  : trans.__('%1 still elsewhere', stale.length)}
              </Chip>
              <ActionButton
                kind="link"
                onClick={() => run(CommandIDs.restartKernels)}
              >
                {trans.__('Restart…')}
              </ActionButton>
            </span>
          )}
        </div>
      )}
      {image && <RunSettingsLine project={project} />}
    </section>
  );
}
