import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IDiffLine } from '../linediff';

/**
 * A difference between two texts, line by line; a sign and a word say what the colour says.
 */
export function LineDiff(props: {
  lines: ReadonlyArray<IDiffLine>;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { lines, trans } = props;
  const signs = {
    added: { sign: '+', word: trans.__('added') },
    removed: { sign: '−', word: trans.__('removed') },
    same: { sign: '', word: '' }
  };
  return (
    <div
      className="jp-ImageManager-code"
      tabIndex={0}
      role="region"
      aria-label={props.label}
    >
      <table className="jp-ImageManager-lineDiff">
        <thead className="jp-ImageManager-hidden">
          <tr>
            <th scope="col">{trans.__('Line before')}</th>
            <th scope="col">{trans.__('Line now')}</th>
            <th scope="col">{trans.__('Change')}</th>
            <th scope="col">{trans.__('Text')}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, index) =>
            line.kind === 'gap' ? (
              <tr key={index} data-kind="gap">
                <td colSpan={4}>
                  {trans._n(
                    '%1 line is the same',
                    '%1 lines are the same',
                    line.count ?? 0
                  )}
                </td>
              </tr>
            ) : (
              <tr key={index} data-kind={line.kind}>
                <td>{line.old}</td>
                <td>{line.now}</td>
                <td>
                  <span aria-hidden="true">{signs[line.kind].sign}</span>
                  <span className="jp-ImageManager-hidden">
                    {signs[line.kind].word}
                  </span>
                </td>
                <td>{line.text}</td>
              </tr>
            )
          )}
        </tbody>
      </table>
    </div>
  );
}
