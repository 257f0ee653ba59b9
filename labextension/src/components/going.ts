import type { TranslationBundle } from '@jupyterlab/translation';

import { formatAbout, formatSize } from '../format';
import type { IPull } from '../storageapi';

/**
 * What goes on: how far, and what to say of it.
 */
export interface IGoing {
  /** Share, 0 to 1; null where it is not known. */
  share: number | null;
  text: string;
  /** Whether it is over. */
  done: boolean;
  /** Why it did not succeed; empty otherwise. */
  problem: string;
}

/**
 * How far a pull is.
 */
export function goingOf(pull: IPull, trans: TranslationBundle): IGoing {
  const left =
    pull.seconds_left === null || pull.state !== 'pulling'
      ? ''
      : trans.__('%1 left', formatAbout(pull.seconds_left, trans));
  const text =
    pull.state === 'waiting'
      ? trans.__('It waits for its turn.')
      : [
          trans.__('%1 of %2 layers', pull.layers_done, pull.layers),
          trans.__(
            '%1 of %2',
            formatSize(pull.current),
            formatSize(pull.total)
          ),
          left
        ]
          .filter(Boolean)
          .join(' · ');
  return {
    share:
      pull.state === 'done' ? 1 : pull.total ? pull.current / pull.total : null,
    text,
    done: ['done', 'failed', 'cancelled'].includes(pull.state),
    problem:
      pull.state === 'failed'
        ? pull.message
        : pull.state === 'cancelled'
          ? trans.__('It was cancelled.')
          : ''
  };
}
