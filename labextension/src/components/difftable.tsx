import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IPackageDiff } from '../tokens';
import { ActionButton } from './parts';

/**
 * The packages in which two images differ.
 */
export function DiffTable(props: {
  diff: IPackageDiff;
  trans: TranslationBundle;
  /** Rows that are shown before one asks for all; all when left out. */
  most?: number;
}): JSX.Element {
  const { diff, trans, most } = props;
  const [all, setAll] = React.useState(most === undefined);
  const rows: {
    sign: string;
    word: string;
    kind: string;
    name: string;
    text: string;
  }[] = [
    ...diff.changed.map(([name, old, now]) => ({
      sign: '↑',
      word: trans.__('changed'),
      kind: 'changed',
      name,
      text: `${old} → ${now}`
    })),
    ...diff.added.map(({ name, version }) => ({
      sign: '+',
      word: trans.__('added'),
      kind: 'added',
      name,
      text: version
    })),
    ...diff.removed.map(({ name, version }) => ({
      sign: '−',
      word: trans.__('removed'),
      kind: 'removed',
      name,
      text: version
    }))
  ];
  if (!rows.length) {
    return <p>{trans.__('Both hold the same Python packages.')}</p>;
  }
  const shown = all ? rows : rows.slice(0, most);
  return (
    <>
      <table className="jp-ImageManager-diff">
        <tbody>
          {shown.map(row => (
            <tr key={`${row.kind}:${row.name}`} data-kind={row.kind}>
              <td>
                <span aria-hidden="true">{row.sign}</span>
                <span className="jp-ImageManager-hidden">{row.word}</span>
              </td>
              <td>{row.name}</td>
              <td>{row.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < rows.length && (
        <ActionButton kind="link" onClick={() => setAll(true)}>
          {trans.__('and %1 more', rows.length - shown.length)}
        </ActionButton>
      )}
    </>
  );
}
