import * as React from 'react';

import type { ImageModel } from '../imagemodel';
import { useAsked } from './asked';
import { useView } from './context';

/**
 * Whose an image is, and who can use it.
 */
export function AccessTab({ model }: { model: ImageModel }): JSX.Element {
  const { manager, trans } = useView();
  const { image } = model;
  const { value: projects } = useAsked(
    () => manager.api.projects(),
    [image.project_id]
  );
  const project = projects?.find(each => each.id === image.project_id);
  const rows: [string, string][] = [
    [
      trans.__('Project'),
      project ? `${image.project} (${project.path})` : image.project
    ],
    [trans.__('Owner of the project'), project?.owner ?? '…'],
    [trans.__('Made by'), image.created_by],
    [
      trans.__('Who can use it'),
      [
        trans.__('the project %1', image.project),
        ...image.published_to.map(name => trans.__('the community %1', name))
      ].join(', ')
    ]
  ];
  return (
    <>
      <table className="jp-ImageManager-table jp-ImageManager-access">
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!image.published_to.length && (
        <p className="jp-ImageManager-sub">
          {trans.__(
            'It is published nowhere: nobody but who works on this Jupyter server can use it.'
          )}
        </p>
      )}
    </>
  );
}
