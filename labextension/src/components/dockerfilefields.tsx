import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { NewImageModel } from '../newimagemodel';
import { ActionButton } from './parts';

/**
 * Which Dockerfile is built.
 */
export function DockerfileFields(props: {
  /** Prefix of the ids of elements. */
  ids: string;
  trans: TranslationBundle;
  model: NewImageModel;
}): JSX.Element {
  const { ids, trans, model } = props;
  const { dockerfiles, draft } = model;
  return (
    <div className="jp-ImageManager-field">
      <label htmlFor={`${ids}-file`}>{trans.__('File of the project')}</label>
      <input
        id={`${ids}-file`}
        className="jp-ImageManager-input"
        spellCheck={false}
        list={`${ids}-files`}
        value={draft.file}
        placeholder={trans.__('none')}
        aria-describedby={`${ids}-fileNote`}
        onChange={event =>
          // A text that was written here goes on standing for itself.
          model.set({
            file: event.target.value,
            text: draft.file && !model.changed ? null : draft.text
          })
        }
      />
      <datalist id={`${ids}-files`}>
        {dockerfiles.map(path => (
          <option key={path} value={path} />
        ))}
      </datalist>
      <div id={`${ids}-fileNote`} className="jp-ImageManager-sub">
        {!draft.file ? (
          trans.__('The text stands for itself; no file is changed.')
        ) : model.changed ? (
          <>
            {trans.__('The text is built, not the file.')}{' '}
            <ActionButton kind="link" onClick={() => model.set({ text: null })}>
              {trans.__('Back to the file')}
            </ActionButton>
          </>
        ) : dockerfiles.length ? (
          trans._n(
            'One Dockerfile lies in the folder.',
            '%1 Dockerfiles lie in the folder.',
            dockerfiles.length
          )
        ) : (
          trans.__(
            'No Dockerfile lies in the folder itself; give the path of one below it.'
          )
        )}
      </div>
    </div>
  );
}
