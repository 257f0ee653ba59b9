import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { ActionButton } from './parts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Environment variables of an image, one a row; the last row is for a new one.
 */
export function Variables(props: {
  env: ReadonlyArray<[string, string]>;
  trans: TranslationBundle;
  onChange: (env: [string, string][]) => void;
}): JSX.Element {
  const { env, trans } = props;
  const change = (index: number, name: string, value: string) => {
    const changed = [...env];
    changed[index] = [name, value];
    props.onChange(changed);
  };
  return (
    <fieldset className="jp-ImageManager-field">
      <legend>{trans.__('Environment variables')}</legend>
      <table className="jp-ImageManager-variables">
        <tbody>
          {[...env, ['', '']].map(([name, value], index) => (
            <tr key={index}>
              <td>
                <input
                  className="jp-ImageManager-input"
                  spellCheck={false}
                  placeholder={trans.__('NAME')}
                  aria-label={trans.__('Variable %1', index + 1)}
                  aria-invalid={problemOf(env, index)}
                  value={name}
                  onChange={event => change(index, event.target.value, value)}
                />
              </td>
              <td>
                <input
                  className="jp-ImageManager-input"
                  spellCheck={false}
                  placeholder={trans.__('value')}
                  aria-label={trans.__('Value of variable %1', index + 1)}
                  value={value}
                  onChange={event => change(index, name, event.target.value)}
                />
              </td>
              <td>
                {index < env.length && (
                  <ActionButton
                    label={trans.__('Remove variable %1', name || index + 1)}
                    title={trans.__('Remove')}
                    onClick={() =>
                      props.onChange(env.filter((_, each) => each !== index))
                    }
                  >
                    ×
                  </ActionButton>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="jp-ImageManager-sub">
        {env.some((_, index) => problemOf(env, index))
          ? trans.__(
              'Each name once, of letters, digits and “_”, and no digit first.'
            )
          : trans.__(
              'Everybody who gets the image can read them: no passwords here.'
            )}
      </div>
    </fieldset>
  );
}

/** Whether a variable's name cannot stand as it is. */
function problemOf(
  env: ReadonlyArray<[string, string]>,
  index: number
): boolean {
  const [name, value] = env[index] ?? ['', ''];
  return (
    (name !== '' || value !== '') &&
    (!VARIABLE.test(name) || env.findIndex(each => each[0] === name) < index)
  );
}

/**
 * Files of the project that are copied into an image.
 */
export function ProjectFiles(props: {
  /** Prefix of the ids of elements. */
  ids: string;
  files: ReadonlyArray<string>;
  /** What lies in the folder. */
  known: ReadonlyArray<string>;
  trans: TranslationBundle;
  onChange: (files: string[]) => void;
}): JSX.Element {
  const { files, ids, trans } = props;
  const [adding, setAdding] = React.useState('');
  const input = React.useRef<HTMLInputElement>(null);
  const add = () => {
    const file = adding.trim();
    if (file) {
      setAdding('');
      props.onChange([...files.filter(each => each !== file), file]);
    }
  };
  return (
    <div className="jp-ImageManager-field">
      <label htmlFor={`${ids}-add`}>{trans.__('Files of the project')}</label>
      {files.length > 0 && (
        <ul className="jp-ImageManager-picked">
          {files.map(file => (
            <li key={file}>
              <span className="jp-ImageManager-cut" title={file}>
                {file.replace(':', ' → ')}
              </span>
              <ActionButton
                label={trans.__('Remove %1', file)}
                title={trans.__('Remove')}
                onClick={() => {
                  props.onChange(files.filter(each => each !== file));
                  input.current?.focus();
                }}
              >
                ×
              </ActionButton>
            </li>
          ))}
        </ul>
      )}
      <div className="jp-ImageManager-nameField">
        <input
          id={`${ids}-add`}
          ref={input}
          className="jp-ImageManager-input"
          spellCheck={false}
          list={`${ids}-known`}
          value={adding}
          placeholder={trans.__('Path, or PATH:TARGET in the image')}
          onChange={event => setAdding(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              event.preventDefault();
              add();
            }
          }}
        />
        <ActionButton disabled={!adding.trim()} onClick={add}>
          {trans.__('Add')}
        </ActionButton>
      </div>
      <datalist id={`${ids}-known`}>
        {props.known.map(path => (
          <option key={path} value={path} />
        ))}
      </datalist>
      <div className="jp-ImageManager-sub">
        {trans.__(
          'They are copied to /opt/project unless a target is given. The folder itself is there at run time anyway.'
        )}
      </div>
    </div>
  );
}
