import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ILintItem } from '../recipe';
import { ActionButton } from './parts';

/**
 * What is to be said about a Dockerfile, each with its mend where there is one.
 */
export function Remarks(props: {
  remarks: ReadonlyArray<ILintItem>;
  trans: TranslationBundle;
  /** Go to a line; left out where there is no cursor. */
  onLine?: (line: number) => void;
  onMend: (remark: ILintItem) => void;
}): JSX.Element | null {
  const { remarks, trans } = props;
  if (!remarks.length) {
    return null;
  }
  return (
    <ul
      className="jp-ImageManager-remarks"
      aria-label={trans.__('Remarks on the Dockerfile')}
    >
      {remarks.map(remark => {
        const cure = cureOf(remark);
        const line = trans.__('Line %1', remark.line);
        return (
          <li
            key={`${remark.line} ${remark.message}`}
            data-tone={toneOf(remark)}
          >
            <div>
              {props.onLine ? (
                <ActionButton
                  kind="link"
                  onClick={() => props.onLine?.(remark.line)}
                >
                  {line}
                </ActionButton>
              ) : (
                <b>{line}</b>
              )}{' '}
              {wordOf(remark, trans)} {remark.message}
              {remark.mend && (
                <>
                  {' '}
                  <ActionButton
                    kind="link"
                    title={remark.mend.lines.join('\n')}
                    label={trans.__('Mend line %1', remark.line)}
                    onClick={() => props.onMend(remark)}
                  >
                    {trans.__('Mend')}
                  </ActionButton>
                </>
              )}
            </div>
            {cure && !remark.mend && <pre>{cure}</pre>}
          </li>
        );
      })}
    </ul>
  );
}

/**
 * The colour of a remark; its word says it too.
 */
export function toneOf(remark: ILintItem): 'error' | 'warn' | 'none' {
  return remark.level === 'error'
    ? 'error'
    : remark.level === 'warning'
      ? 'warn'
      : 'none';
}

function wordOf(remark: ILintItem, trans: TranslationBundle): string {
  return remark.level === 'error'
    ? trans.__('Error:')
    : remark.level === 'warning'
      ? trans.__('Warning:')
      : trans.__('Hint:');
}

function cureOf(remark: ILintItem): string {
  return Array.isArray(remark.cure)
    ? remark.cure.join('\n')
    : (remark.cure ?? '');
}
