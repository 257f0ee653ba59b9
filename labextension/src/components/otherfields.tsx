import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { NewImageModel } from '../newimagemodel';
import { ActionButton } from './parts';

const REFERENCE_EXAMPLE = 'registry.example/science/jupyter:2026.11';
const REQUIREMENT_EXAMPLE = 'polars>=1.35';
const ARCHIVE_EXAMPLE = 'image.tar';

/**
 * What the fields need.
 */
export interface IOtherFieldsProps {
  /** Prefix of the ids of elements. */
  ids: string;
  trans: TranslationBundle;
  model: NewImageModel;
  /** Let a person choose a file of the project; null where that cannot be offered. */
  pickFile: (() => Promise<string | null>) | null;
}

/**
 * What is asked for where an image is neither described by a form nor by a Dockerfile.
 */
export function OtherFields(props: IOtherFieldsProps): JSX.Element | null {
  switch (props.model.draft.source) {
    case 'import':
      return <ImportFields {...props} />;
    case 'duplicate':
      return <DuplicateFields {...props} />;
    case 'archive':
      return <ArchiveFields {...props} />;
    default:
      return null;
  }
}

function ImportFields({ ids, trans, model }: IOtherFieldsProps): JSX.Element {
  return (
    <div className="jp-ImageManager-field">
      <label htmlFor={`${ids}-reference`}>{trans.__('Image')}</label>
      <input
        id={`${ids}-reference`}
        className="jp-ImageManager-input"
        spellCheck={false}
        value={model.draft.reference}
        placeholder={REFERENCE_EXAMPLE}
        aria-invalid={!!model.refusal}
        aria-describedby={`${ids}-sourceNote`}
        onChange={event => model.set({ reference: event.target.value })}
      />
      <Note ids={ids} model={model}>
        {trans.__(
          'As “docker pull” takes it. It is pinned to what the name means today; a version in the name says so to people too.'
        )}
      </Note>
    </div>
  );
}

function DuplicateFields({
  ids,
  trans,
  model
}: IOtherFieldsProps): JSX.Element {
  const { draft } = model;
  const images = model.manager.images.filter(
    image => image.state !== 'building'
  );
  const gone =
    draft.original && !images.some(image => image.id === draft.original);
  return (
    <>
      <div className="jp-ImageManager-field">
        <label htmlFor={`${ids}-original`}>
          {trans.__('Image of the project')}
        </label>
        <select
          id={`${ids}-original`}
          className="jp-ImageManager-input"
          value={gone ? '' : draft.original}
          disabled={!images.length}
          aria-invalid={!!model.refusal}
          aria-describedby={`${ids}-sourceNote`}
          onChange={event => model.set({ original: event.target.value })}
        >
          {(!images.length || gone || !draft.original) && (
            <option value="">
              {images.length
                ? trans.__('Choose one')
                : trans.__('The project has no image yet')}
            </option>
          )}
          {images.map(image => (
            <option key={image.id} value={image.id}>
              {image.spec}
            </option>
          ))}
        </select>
        <Note ids={ids} model={model}>
          {trans.__('It is built again from its recipe; it stays as it is.')}{' '}
          {draft.original && !gone && (
            <ActionButton kind="link" onClick={() => void model.editRecipe()}>
              {trans.__('Change the recipe')}
            </ActionButton>
          )}
        </Note>
      </div>
      <div className="jp-ImageManager-field">
        <label htmlFor={`${ids}-additions`}>
          {trans.__('Python packages to add')}
        </label>
        <textarea
          id={`${ids}-additions`}
          className="jp-ImageManager-input"
          rows={4}
          spellCheck={false}
          value={draft.additions}
          placeholder={REQUIREMENT_EXAMPLE}
          aria-describedby={`${ids}-additionsNote`}
          onChange={event => model.set({ additions: event.target.value })}
        />
        <div id={`${ids}-additionsNote`} className="jp-ImageManager-sub">
          {trans.__('One a line. None: the same recipe again.')}
        </div>
      </div>
    </>
  );
}

function ArchiveFields({
  ids,
  trans,
  model,
  pickFile
}: IOtherFieldsProps): JSX.Element {
  const field = React.useRef<HTMLInputElement>(null);
  const pick = async () => {
    const path = await pickFile?.();
    field.current?.focus();
    if (path) {
      model.set({ archive: path });
    }
  };
  return (
    <div className="jp-ImageManager-field">
      <label htmlFor={`${ids}-archive`}>{trans.__('Archive')}</label>
      <div className="jp-ImageManager-nameField">
        <input
          ref={field}
          id={`${ids}-archive`}
          className="jp-ImageManager-input"
          spellCheck={false}
          value={model.draft.archive}
          placeholder={ARCHIVE_EXAMPLE}
          aria-invalid={!!model.refusal}
          aria-describedby={`${ids}-sourceNote`}
          onChange={event => model.set({ archive: event.target.value })}
        />
        {pickFile && (
          <ActionButton onClick={() => void pick()}>
            {trans.__('Choose…')}
          </ActionButton>
        )}
      </div>
      <Note ids={ids} model={model}>
        {trans.__(
          'A file that “docker save” or another tool wrote, on the server: its path in the project, or one that begins with a slash.'
        )}
      </Note>
    </div>
  );
}

/** What helps with a field; instead of it why what stands there was refused. */
function Note(props: {
  ids: string;
  model: NewImageModel;
  children: React.ReactNode;
}): JSX.Element {
  const { refusal } = props.model;
  return (
    <div
      id={`${props.ids}-sourceNote`}
      className="jp-ImageManager-sub"
      data-tone={refusal ? 'error' : undefined}
      role={refusal ? 'alert' : undefined}
    >
      {refusal || props.children}
    </div>
  );
}

/**
 * What will be done where there is no Dockerfile to look at.
 */
export function Steps(props: {
  model: NewImageModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const imported = model.draft.source === 'import';
  return (
    <>
      <h2>{trans.__('What happens')}</h2>
      <ol className="jp-ImageManager-stepList">
        <li>
          {imported
            ? trans.__(
                'The image is pulled onto this machine, unless it is there.'
              )
            : trans.__(
                'The archive is looked through and loaded; its file is no longer needed then.'
              )}
        </li>
        <li>
          {trans.__(
            'It is checked whether kernels can run in it. If something is missing, you are told what, and Mend adds it.'
          )}
        </li>
        <li>
          {imported
            ? trans.__(
                'It stays what it is, whatever its name comes to mean elsewhere.'
              )
            : trans.__('It belongs to this project, as if built here.')}
        </li>
      </ol>
    </>
  );
}
