import * as React from 'react';

import type { ImageModel } from '../imagemodel';
import { messageOf } from '../request';
import type { IPackageDiff } from '../tokens';
import { useView } from './context';
import { DiffTable } from './difftable';

/**
 * The Python packages of an image, to be searched and compared with those of another.
 */
export function Packages({ model }: { model: ImageModel }): JSX.Element {
  const { manager, trans } = useView();
  const ids = React.useId();
  const [query, setQuery] = React.useState('');
  const [other, setOther] = React.useState('');
  const [diff, setDiff] = React.useState<IPackageDiff | null>(null);
  const [error, setError] = React.useState('');
  const { packages, image } = model;
  React.useEffect(() => {
    let current = true;
    setDiff(null);
    setError('');
    if (other) {
      manager.api.diff(other, image.id).then(
        found => current && setDiff(found),
        reason => current && setError(messageOf(reason))
      );
    }
    return () => {
      current = false;
    };
  }, [other, image.id]);
  if (!packages) {
    return (
      <p className="jp-ImageManager-note">
        {trans.__('They are known when the image has been checked.')}
      </p>
    );
  }
  const wanted = query.trim().toLowerCase();
  const shown = packages.filter(each =>
    each.name.toLowerCase().includes(wanted)
  );
  const others = manager.images.filter(
    each => each.state === 'ready' && each.id !== image.id
  );
  const against = others.find(each => each.id === other);
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
        {others.length > 0 && (
          <>
            <label htmlFor={`${ids}-other`}>{trans.__('Compare with')}</label>
            <select
              id={`${ids}-other`}
              className="jp-ImageManager-input"
              value={other}
              onChange={event => setOther(event.target.value)}
            >
              <option value="">{trans.__('nothing')}</option>
              {others.map(each => (
                <option key={each.id} value={each.id}>
                  {each.spec}
                </option>
              ))}
            </select>
          </>
        )}
      </div>
      {error && (
        <div className="jp-ImageManager-banner" data-tone="error" role="alert">
          {error}
        </div>
      )}
      {against && diff && (
        <section>
          <h2>{trans.__('%1 against %2', image.spec, against.spec)}</h2>
          <DiffTable diff={diff} trans={trans} />
        </section>
      )}
      {shown.length ? (
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
      )}
    </>
  );
}
