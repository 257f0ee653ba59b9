import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { messageOf } from '../request';
import { ActionButton } from './parts';

interface IFound {
  name: string;
  versions: string[];
  error: string;
}

/**
 * Finds the versions that the index of builds has of a package, and adds one.
 */
export function PackageSearch(props: {
  /** Prefix of the ids of elements. */
  ids: string;
  trans: TranslationBundle;
  /** Versions of a package, newest first. */
  find: (name: string) => Promise<string[]>;
  onAdd: (requirement: string) => void;
}): JSX.Element {
  const { ids, trans } = props;
  const [name, setName] = React.useState('');
  const [busy, setBusy] = React.useState(false);
  const [found, setFound] = React.useState<IFound | null>(null);
  const [version, setVersion] = React.useState('');
  const asked = React.useRef(0);

  const find = async () => {
    const wanted = name.trim();
    if (!wanted) {
      return;
    }
    const round = ++asked.current;
    setBusy(true);
    const answer = await props.find(wanted).then(
      versions => ({ name: wanted, versions, error: '' }),
      reason => ({ name: wanted, versions: [], error: messageOf(reason) })
    );
    if (round === asked.current) {
      setBusy(false);
      setFound(answer);
      setVersion(answer.versions[0] ?? '');
    }
  };
  React.useEffect(
    () => () => {
      asked.current++;
    },
    []
  );

  return (
    <div className="jp-ImageManager-field">
      <label htmlFor={`${ids}-find`}>{trans.__('Find a version')}</label>
      <div className="jp-ImageManager-nameField">
        <input
          id={`${ids}-find`}
          className="jp-ImageManager-input"
          type="search"
          spellCheck={false}
          value={name}
          placeholder={trans.__('A package, by its exact name')}
          onChange={event => setName(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              event.preventDefault();
              void find();
            }
          }}
        />
        <ActionButton
          disabled={busy || !name.trim()}
          onClick={() => void find()}
        >
          {busy ? trans.__('Asking…') : trans.__('Find')}
        </ActionButton>
      </div>
      <div role="status" className="jp-ImageManager-sub">
        {found?.error ||
          (found &&
            !found.versions.length &&
            trans.__(
              'The package index has no “%1” for this Python.',
              found.name
            ))}
      </div>
      {found && found.versions.length > 0 && (
        <div className="jp-ImageManager-nameField">
          <select
            className="jp-ImageManager-input"
            aria-label={trans.__('Version of %1', found.name)}
            value={version}
            onChange={event => setVersion(event.target.value)}
          >
            {found.versions.map(each => (
              <option key={each} value={each}>
                {`${found.name} ${each}`}
              </option>
            ))}
          </select>
          <ActionButton
            label={trans.__('Add %1', `${found.name}==${version}`)}
            onClick={() => {
              props.onAdd(`${found.name}==${version}`);
              setFound(null);
              setName('');
              document.getElementById(`${ids}-find`)?.focus();
            }}
          >
            {trans.__('Add')}
          </ActionButton>
        </div>
      )}
    </div>
  );
}
