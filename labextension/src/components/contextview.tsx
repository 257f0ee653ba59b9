import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatSize } from '../format';
import type { IContextPreview } from '../recipe';
import { ActionButton } from './parts';

/** Files that are shown, the biggest first. */
const SHOWN = 5;

/**
 * What would be sent as context; above the limit it must be confirmed.
 */
export function ContextView(props: {
  context: IContextPreview;
  /** Files that were left out here. */
  ignored: ReadonlyArray<string>;
  confirmed: boolean;
  trans: TranslationBundle;
  onConfirm: (confirmed: boolean) => void;
  onIgnore: (file: string, ignored: boolean) => void;
}): JSX.Element {
  const { context, ignored, trans } = props;
  const title = React.useRef<HTMLHeadingElement>(null);
  // The button that was pressed is gone by what it does.
  const ignore = (file: string, out: boolean) => {
    title.current?.focus();
    props.onIgnore(file, out);
  };
  return (
    <>
      <h2 ref={title} tabIndex={-1}>
        {trans.__('What is sent')}
      </h2>
      <table className="jp-ImageManager-table jp-ImageManager-sent">
        <tbody>
          {context.largest.slice(0, SHOWN).map(([path, size]) => (
            <tr key={path}>
              <td className="jp-ImageManager-cut" title={path}>
                {path}
              </td>
              <td>
                {path !== '.dockerignore' && (
                  <ActionButton
                    kind="link"
                    label={trans.__('Ignore this: %1', path)}
                    title={trans.__('Leave it out, by a line of .dockerignore')}
                    onClick={() => ignore(path, true)}
                  >
                    {trans.__('Ignore this')}
                  </ActionButton>
                )}
              </td>
              <td>{formatSize(size)}</td>
            </tr>
          ))}
          <tr>
            <td colSpan={2}>
              {trans._n('%1 file in all', '%1 files in all', context.files)}
              <span className="jp-ImageManager-sub">
                {' · '}
                {trans.__('at most %1 unasked', formatSize(context.limit))}
              </span>
            </td>
            <td>{formatSize(context.size)}</td>
          </tr>
        </tbody>
      </table>
      {context.ignored > 0 && (
        <details className="jp-ImageManager-dropped">
          <summary>
            {trans._n(
              '%1 file or folder is left out by .dockerignore',
              '%1 files or folders are left out by .dockerignore',
              context.ignored
            )}
          </summary>
          <ul>
            {context.dropped.map(path => (
              <li key={path} className="jp-ImageManager-cut" title={path}>
                {path}
              </li>
            ))}
            {context.ignored > context.dropped.length && (
              <li className="jp-ImageManager-sub">
                {trans.__(
                  'and %1 more',
                  context.ignored - context.dropped.length
                )}
              </li>
            )}
          </ul>
        </details>
      )}
      <div role="status">
        {ignored.map(file => (
          <p key={file} className="jp-ImageManager-sub">
            {trans.__('%1 is left out: .dockerignore says so now.', file)}{' '}
            <ActionButton
              kind="link"
              label={trans.__('Undo: send %1 again', file)}
              onClick={() => ignore(file, false)}
            >
              {trans.__('Undo')}
            </ActionButton>
          </p>
        ))}
      </div>
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
