import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IPackage, ImageModel } from '../imagemodel';
import { SERVER_ENVIRONMENT } from '../tokens';
import { useAsked } from './asked';
import { useView } from './context';
import { DiffTable } from './difftable';
import { Imports } from './imports';

/** What is chosen for the imports of the notebook in front: no id of an image. */
const NOTEBOOK = ':notebook';

/**
 * The Python packages of an image, to be searched, and compared with those of another, of the server environment, or
 * with what the notebook in front imports.
 */
export function Packages({ model }: { model: ImageModel }): JSX.Element {
  const { manager, trans, notebook } = useView();
  const ids = React.useId();
  const [query, setQuery] = React.useState('');
  const [other, setOther] = React.useState('');
  const { packages, image } = model;
  // The one that was in front when the tab was opened: it must not change under the hand.
  const front = React.useMemo(() => notebook?.() ?? null, [notebook]);
  if (!packages) {
    return (
      <p className="jp-ImageManager-note">
        {trans.__('They are known when the image has been checked.')}
      </p>
    );
  }
  const others = manager.images.filter(
    each =>
      (each.state === 'ready' || each.state === 'unusable') &&
      each.id !== image.id
  );
  const server = trans.__('Server environment');
  const name =
    other === SERVER_ENVIRONMENT
      ? server
      : others.find(each => each.id === other)?.spec;
  return (
    <>
      <div className="jp-ImageManager-logBar" role="search">
        <input
          type="search"
          className="jp-ImageManager-input"
          value={query}
          placeholder={trans.__('Search %1 packages', packages.length)}
          aria-label={trans.__('Search packages')}
          onChange={event => setQuery(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape' && query) {
              setQuery('');
              event.stopPropagation();
            }
          }}
        />
        <label htmlFor={`${ids}-other`}>{trans.__('Compare with')}</label>
        <select
          id={`${ids}-other`}
          className="jp-ImageManager-input"
          value={other}
          onChange={event => setOther(event.target.value)}
        >
          <option value="">{trans.__('nothing')}</option>
          {front && (
            <option value={NOTEBOOK}>
              {trans.__('What %1 imports', front.name)}
            </option>
          )}
          <option value={SERVER_ENVIRONMENT}>{server}</option>
          {others.length > 0 && (
            <optgroup label={trans.__('Images of this project')}>
              {others.map(each => (
                <option key={each.id} value={each.id}>
                  {each.spec}
                </option>
              ))}
            </optgroup>
          )}
        </select>
      </div>
      {other === NOTEBOOK && front && (
        <Imports model={model} notebook={front} />
      )}
      {name && <Compared key={other} id={other} name={name} model={model} />}
      <Listed packages={packages} query={query} trans={trans} />
    </>
  );
}

function Compared(props: {
  /** Of the other image. */
  id: string;
  name: string;
  model: ImageModel;
}): JSX.Element | null {
  const { manager, trans } = useView();
  const { id, name } = props;
  const { image } = props.model;
  const { value: diff, problem } = useAsked(
    () => manager.api.diff(id, image.id),
    [id, image.id]
  );
  if (problem) {
    return (
      <div className="jp-ImageManager-banner" data-tone="error" role="alert">
        {problem}
      </div>
    );
  }
  return (
    diff && (
      <section>
        <h2>{trans.__('%1 against %2', image.spec, name)}</h2>
        <DiffTable diff={diff} trans={trans} most={FIRST} />
      </section>
    )
  );
}

/** Differences that are shown before one asks for all. */
const FIRST = 12;

function Listed(props: {
  packages: ReadonlyArray<IPackage>;
  query: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { packages, query, trans } = props;
  const wanted = query.trim().toLowerCase();
  const shown = packages.filter(each =>
    each.name.toLowerCase().includes(wanted)
  );
  return shown.length ? (
    <table className="jp-ImageManager-table jp-ImageManager-packages">
      <thead>
        <tr>
          <th scope="col">{trans.__('Package')}</th>
          <th scope="col">{trans.__('Version')}</th>
        </tr>
      </thead>
      <tbody>
        {shown.map(each => (
          <tr key={each.name}>
            <td>{each.name}</td>
            <td>{each.version}</td>
          </tr>
        ))}
      </tbody>
    </table>
  ) : (
    <p className="jp-ImageManager-note" role="status">
      {query
        ? trans.__('No package is called “%1”.', query)
        : trans.__('It holds no Python packages.')}
    </p>
  );
}
