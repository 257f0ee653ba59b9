import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatSize } from '../format';
import type { IContextPreview } from '../recipe';

/**
 * What would be sent as context; above the limit it must be confirmed.
 */
export function ContextView(props: {
  context: IContextPreview;
  confirmed: boolean;
  trans: TranslationBundle;
  onConfirm: (confirmed: boolean) => void;
}): JSX.Element {
  const { context, trans } = props;
  return (
    <>
      <h2>{trans.__('What is sent')}</h2>
      <table className="jp-ImageManager-table">
        <tbody>
          {context.largest.slice(0, 3).map(([path, size]) => (
            <tr key={path}>
              <td className="jp-ImageManager-cut" title={path}>
                {path}
              </td>
              <td>{formatSize(size)}</td>
            </tr>
          ))}
          <tr>
            <td>
              {trans._n('%1 file in all', '%1 files in all', context.files)}
              {context.ignored > 0 && (
                <span className="jp-ImageManager-sub">
                  {' · '}
                  {trans.__('%1 left out by .dockerignore', context.ignored)}
                </span>
              )}
            </td>
            <td>{formatSize(context.size)}</td>
          </tr>
        </tbody>
      </table>
      {context.problems.map(problem => (
        <p key={problem} className="jp-ImageManager-sub" data-tone="warn">
          {problem}
        </p>
      ))}
      {context.size > context.limit && (
        <label className="jp-ImageManager-check">
          <input
            type="checkbox"
            checked={props.confirmed}
            onChange={event => props.onConfirm(event.target.checked)}
          />
          {trans.__(
            'Send %1, more than the usual limit of %2',
            formatSize(context.size),
            formatSize(context.limit)
          )}
        </label>
      )}
    </>
  );
}
