import * as React from 'react';

import { CommandIDs } from '../commands';
import type { ImageModel } from '../imagemodel';
import { needsOf } from '../imports';
import type { INeed } from '../imports';
import { useAsked } from './asked';
import { useView } from './context';
import type { INotebookInFront } from './context';
import { ActionButton } from './parts';

/**
 * What a notebook imports, and which of it an image has; what it lacks can be added.
 */
export function Imports(props: {
  model: ImageModel;
  notebook: INotebookInFront;
}): JSX.Element {
  const { trans, run } = useView();
  const { model, notebook } = props;
  const { image, packages } = model;
  const { value: needs } = useAsked(
    async () =>
      needsOf(notebook.modules(), await notebook.beside(), packages ?? []),
    [packages, notebook]
  );
  const [ticks, setTicks] = React.useState<Record<string, boolean>>({});
  if (!needs) {
    return (
      <p className="jp-ImageManager-note" role="status">
        {trans.__('Reading the notebook…')}
      </p>
    );
  }
  const missing = needs.filter(each => each.version === null);
  // What is only guessed is not asked for unseen.
  const isTicked = (need: INeed) => ticks[need.distribution] ?? need.known;
  const chosen = missing.filter(isTicked).map(each => each.distribution);
  return (
    <section aria-label={trans.__('What %1 imports', notebook.name)}>
      <h2>
        {!needs.length
          ? trans.__('%1 imports no packages', notebook.name)
          : missing.length
            ? trans._n(
                '%2 lacks %1 package that %3 imports',
                '%2 lacks %1 packages that %3 imports',
                missing.length,
                image.spec,
                notebook.name
              )
            : trans.__('%1 has all that %2 imports', image.spec, notebook.name)}
      </h2>
      {needs.length > 0 && (
        <table className="jp-ImageManager-table jp-ImageManager-needs">
          <thead>
            <tr>
              <th scope="col">{trans.__('Import')}</th>
              <th scope="col">{trans.__('Package')}</th>
              <th scope="col">{trans.__('In the image')}</th>
            </tr>
          </thead>
          <tbody>
            {needs.map(need => (
              <tr
                key={need.distribution}
                data-tone={need.version === null ? 'error' : 'ok'}
              >
                <td>
                  <code>{need.module}</code>
                </td>
                <td>
                  {need.version === null ? (
                    <label>
                      <input
                        type="checkbox"
                        checked={isTicked(need)}
                        onChange={event =>
                          setTicks({
                            ...ticks,
                            [need.distribution]: event.target.checked
                          })
                        }
                      />
                      <span>
                        {need.distribution}{' '}
                        {!need.known && (
                          <span className="jp-ImageManager-sub">
                            {trans.__('a guess: look the name up')}
                          </span>
                        )}
                      </span>
                    </label>
                  ) : (
                    need.distribution
                  )}
                </td>
                <td>
                  <span className="jp-ImageManager-sign" aria-hidden="true">
                    {need.version === null ? '✗' : '✓'}
                  </span>{' '}
                  {need.version ?? trans.__('missing')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {missing.length > 0 && image.state === 'ready' && (
        <div className="jp-ImageManager-buttons">
          <ActionButton
            disabled={!chosen.length}
            onClick={() =>
              run(CommandIDs.addPackages, {
                image_id: image.id,
                packages: chosen.join('\n')
              })
            }
          >
            {chosen.length
              ? trans._n(
                  'Build a new version with this package',
                  'Build a new version with these %1 packages',
                  chosen.length
                )
              : trans.__('Build a new version')}
          </ActionButton>
          <span className="jp-ImageManager-sub">
            {trans.__(
              'The notebook goes on where it runs until the new version is activated.'
            )}
          </span>
        </div>
      )}
    </section>
  );
}
