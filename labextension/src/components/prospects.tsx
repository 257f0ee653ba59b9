import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { prospectsOf } from '../prospects';
import type { ILintItem } from '../recipe';
import type { IUsage } from '../tokens';
import { ActionButton } from './parts';

const MARKS = { ok: '✓', warn: '!', error: '✗' };

/**
 * Whether it will work, and how long it takes.
 */
export function Prospects(props: {
  remarks: ReadonlyArray<ILintItem>;
  usage: IUsage | null;
  trans: TranslationBundle;
  onMend: (remark: ILintItem) => void;
}): JSX.Element {
  const { trans } = props;
  return (
    <>
      <h2>{trans.__('Will it work?')}</h2>
      <ul
        className="jp-ImageManager-prospects"
        aria-label={trans.__('Will it work?')}
      >
        {prospectsOf(props.remarks, props.usage, trans).map(each => (
          <li key={each.id} data-tone={each.tone}>
            <b aria-hidden="true">{MARKS[each.tone]}</b> {each.text}
            {each.mend && (
              <>
                {' '}
                <ActionButton
                  kind="link"
                  label={trans.__('Mend: %1', each.text)}
                  title={each.mend.mend?.lines.join('\n')}
                  onClick={() => props.onMend(each.mend!)}
                >
                  {trans.__('Mend')}
                </ActionButton>
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
