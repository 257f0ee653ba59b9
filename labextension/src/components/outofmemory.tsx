import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { messageOf } from '../request';
import { formatMemory, nextMemory } from '../runsettings';
import type { IImageManager } from '../tokens';
import { useAsked } from './asked';
import { useKeptFocus } from './focus';
import { ActionButton } from './parts';

/**
 * Offers more memory where a cell needed more than its kernel may use.
 */
export function OutOfMemory(props: {
  manager: IImageManager;
  projectId: string;
  trans: TranslationBundle;
  openSettings: () => void;
  /** Restart the notebook's kernel, which has what is saved from then on. */
  restart: () => Promise<void>;
  onClosed: () => void;
}): JSX.Element {
  const { manager, projectId, trans, onClosed } = props;
  const { api } = manager;
  const place = useKeptFocus();
  const [stage, setStage] = React.useState<'offer' | 'busy' | 'saved'>('offer');
  const [error, setError] = React.useState('');
  const { value: limits, problem } = useAsked(async () => {
    const [projects, status] = await Promise.all([
      api.projects(),
      api.status()
    ]);
    const project = projects.find(each => each.id === projectId);
    return project ? nextMemory(project.run_settings, status) : null;
  }, [projectId]);
  const next = limits?.next ?? null;
  const run = async (act: () => Promise<void>) => {
    const before = stage;
    setStage('busy');
    setError('');
    try {
      await act();
    } catch (reason) {
      setError(messageOf(reason));
      setStage(before);
    }
  };
  const text =
    error ||
    problem ||
    (stage === 'saved' && next !== null
      ? trans.__(
          'Kernels of this project may use %1 from their next start.',
          formatMemory(next)
        )
      : !limits || limits.now === null
        ? trans.__('This cell needed more memory than there is.')
        : next === null
          ? trans.__(
              'This cell needed more than the %1 that a kernel may use, and no more is allowed here.',
              formatMemory(limits.now)
            )
          : trans.__(
              'This cell needed more than the %1 that a kernel may use.',
              formatMemory(limits.now)
            ));
  return (
    <div
      ref={place}
      tabIndex={-1}
      className="jp-ImageManager-missing"
      role="group"
      aria-label={trans.__('Out of memory')}
      data-tone={stage === 'saved' ? 'busy' : 'error'}
      data-lm-suppress-shortcuts="true"
      onKeyDown={event => {
        // A notebook takes the focus at each key that it sees.
        event.stopPropagation();
        if (event.key === 'Escape') {
          onClosed();
        }
      }}
    >
      <div className="jp-ImageManager-missingText" role="status">
        {text}
      </div>
      <div className="jp-ImageManager-buttons">
        <ActionButton kind="link" onClick={props.openSettings}>
          {trans.__('Run settings…')}
        </ActionButton>
        <ActionButton onClick={onClosed}>{trans.__('Not now')}</ActionButton>
        {stage === 'saved' ? (
          <ActionButton
            kind="filled"
            onClick={() =>
              void run(async () => {
                await props.restart();
                onClosed();
              })
            }
          >
            {trans.__('Restart the kernel now')}
          </ActionButton>
        ) : (
          next !== null && (
            <ActionButton
              kind="filled"
              disabled={stage === 'busy'}
              onClick={() =>
                void run(async () => {
                  await api.setRunSettings(projectId, { memory: next });
                  void manager.refresh();
                  setStage('saved');
                })
              }
            >
              {trans.__('Allow %1', formatMemory(next))}
            </ActionButton>
          )
        )}
      </div>
    </div>
  );
}
