import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { ActionButton } from './parts';
import type { IField, Rows } from './runfields';

/**
 * Names and values, one a row.
 */
export function RunTable(props: {
  field: IField;
  title: string;
  hint: string;
  value: string;
  add: string;
  rows: Rows;
  trans: TranslationBundle;
  onChange: (rows: Rows) => void;
  problem: JSX.Element | null;
}): JSX.Element {
  const { rows, trans, onChange } = props;
  const change = (at: number, row: [string, string]) =>
    onChange(rows.map((each, index) => (index === at ? row : each)));
  return (
    <fieldset {...props.field} tabIndex={-1}>
      <legend>{props.title}</legend>
      {props.hint && <p className="jp-ImageManager-sub">{props.hint}</p>}
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              <th scope="col">{props.value}</th>
              <th scope="col">
                <span className="jp-ImageManager-hidden">
                  {trans.__('Remove')}
                </span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, value], index) => (
              <tr key={index}>
                <td>
                  <input
                    className="jp-mod-styled"
                    aria-label={trans.__('Name')}
                    value={name}
                    spellCheck={false}
                    onChange={event =>
                      change(index, [event.target.value, value])
                    }
                  />
                </td>
                <td>
                  <input
                    className="jp-mod-styled"
                    aria-label={`${props.value}: ${name}`}
                    value={value}
                    spellCheck={false}
                    onChange={event =>
                      change(index, [name, event.target.value])
                    }
                  />
                </td>
                <td>
                  <ActionButton
                    kind="link"
                    label={trans.__('Remove %1', name)}
                    onClick={() =>
                      onChange(rows.filter((_, other) => other !== index))
                    }
                  >
                    {trans.__('Remove')}
                  </ActionButton>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ActionButton onClick={() => onChange([...rows, ['', '']])}>
        {props.add}
      </ActionButton>
      {props.problem}
    </fieldset>
  );
}
