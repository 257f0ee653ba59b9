import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { DiffTable } from './components/difftable';
import { formatSize } from './format';
import type { IDeletionPreview, IImage, IPackageDiff } from './tokens';

function body(element: JSX.Element): ReactWidget {
  const widget = ReactWidget.create(element);
  widget.addClass('jp-ImageManager-dialog');
  return widget;
}

/**
 * What a deletion would do.
 */
export function deletionBody(
  image: IImage,
  preview: IDeletionPreview,
  trans: TranslationBundle
): ReactWidget {
  return body(
    <>
      {preview.reason && <p>{preview.reason}</p>}
      {preview.allowed && (
        <p>
          {preview.frees
            ? trans.__(
                '%1 of disk become free; what other images share stays.',
                formatSize(preview.frees)
              )
            : trans.__('No disk becomes free: other images share all of it.')}
        </p>
      )}
      {preview.used_by.length > 0 && (
        <>
          <p>{trans.__('Used by')}</p>
          <ul className="jp-ImageManager-plainList">
            {preview.used_by.map(user => (
              <li key={user}>{user}</li>
            ))}
          </ul>
        </>
      )}
      {preview.allowed && preview.final && (
        <p className="jp-ImageManager-sub">
          {trans.__(
            'This is final: %1 can only be built again, not brought back.',
            image.spec
          )}
        </p>
      )}
    </>
  );
}

/**
 * The packages in which two images differ.
 */
export function diffBody(
  diff: IPackageDiff,
  trans: TranslationBundle
): ReactWidget {
  return body(<DiffTable diff={diff} trans={trans} />);
}
