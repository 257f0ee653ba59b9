import type { CodeEditor, IEditorServices } from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { formatAbout } from '../format';
import type { NewImageModel } from '../newimagemodel';
import type { IBuild } from '../tokens';
import { Choice } from './choice';
import { ContextView } from './contextview';
import { DockerfileEditor } from './dockerfileeditor';
import { DockerfileFields } from './dockerfilefields';
import { DockerfileView } from './dockerfileview';
import { NewImageNotes } from './newimagenotes';
import { OtherFields, Steps } from './otherfields';
import { ActionButton } from './parts';
import { Prospects } from './prospects';
import { Remarks } from './remarks';
import { StorageChoice } from './storagechoice';
import { TemplateFields } from './templatefields';

/**
 * What the page needs from outside.
 */
export interface INewImageProps {
  model: NewImageModel;
  trans: TranslationBundle;
  /** JupyterLab's editors; without them the Dockerfile is a plain text field. */
  editors: IEditorServices | null;
  /** Let a person choose a file of the project; null where that cannot be offered. */
  pickFile: (() => Promise<string | null>) | null;
  onSubmitted: (build: IBuild) => void;
  onCancelled: () => void;
}

/**
 * The page on which an image is described and its build submitted.
 */
export function NewImageForm(props: INewImageProps): JSX.Element {
  return (
    <UseSignal signal={props.model.stateChanged}>
      {() => <Form {...props} />}
    </UseSignal>
  );
}

function Form(props: INewImageProps): JSX.Element {
  const { model, trans } = props;
  const { draft, manager, sent } = model;
  const { context } = sent;
  const ids = React.useId();
  const editor = React.useRef<CodeEditor.IEditor | null>(null);
  const [confirmed, setConfirmed] = React.useState(false);

  const { source } = draft;
  const template = source === 'template';
  const described = template || source === 'dockerfile';
  const nameProblem = checkName(draft.name, trans);
  const tooLarge = context !== null && context.size > context.limit;
  const blocked =
    !!model.problem || model.remarks.some(remark => remark.level === 'error');
  const versions = manager.images
    .filter(image => image.name === draft.name)
    .map(image => image.version);
  const next = 1 + Math.max(0, ...versions);
  const usual = manager.builds.find(build => build.estimate)?.estimate ?? null;
  const enabled =
    model.ready &&
    !model.busy &&
    !nameProblem &&
    !blocked &&
    model.isBegun &&
    (!described || !tooLarge || confirmed);

  const submit = async () => {
    const build = await model.submit(confirmed);
    if (build) {
      props.onSubmitted(build);
    }
  };

  return (
    <form
      className="jp-ImageManager-form"
      aria-labelledby={`${ids}-title`}
      onSubmit={event => {
        event.preventDefault();
        if (enabled) {
          void submit();
        }
      }}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.defaultPrevented) {
          event.stopPropagation();
          props.onCancelled();
        }
      }}
    >
      <div className="jp-ImageManager-formHeader">
        <h1 id={`${ids}-title`}>{trans.__('New image')}</h1>
        <span className="jp-ImageManager-sub jp-ImageManager-cut">
          {trans.__('for the project %1', model.project.name)}
        </span>
        <span className="jp-ImageManager-space" />
        <ActionButton onClick={props.onCancelled}>
          {trans.__('Cancel')}
        </ActionButton>
        <button
          type="submit"
          className="jp-ImageManager-button"
          data-kind="filled"
          disabled={!enabled}
        >
          {model.busy
            ? trans.__('Submitting…')
            : draft.activate
              ? trans.__('Build and activate')
              : trans.__('Build')}
        </button>
      </div>
      <NewImageNotes model={model} trans={trans} />
      <div className="jp-ImageManager-formColumns">
        <div>
          <div className="jp-ImageManager-field">
            <label htmlFor={`${ids}-name`}>{trans.__('Name')}</label>
            <div className="jp-ImageManager-nameField">
              <input
                id={`${ids}-name`}
                className="jp-ImageManager-input"
                value={draft.name}
                maxLength={60}
                spellCheck={false}
                autoFocus
                aria-invalid={!!nameProblem}
                aria-describedby={`${ids}-nameNote`}
                onChange={event => model.set({ name: event.target.value })}
              />
              <span aria-hidden="true">:{next}</span>
            </div>
            <div
              id={`${ids}-nameNote`}
              className="jp-ImageManager-sub"
              data-tone={nameProblem ? 'error' : undefined}
            >
              {nameProblem ||
                (next > 1
                  ? trans.__(
                      'It becomes version %1; earlier versions stay as they are.',
                      next
                    )
                  : trans.__('A new name: it becomes version 1.'))}
            </div>
          </div>
          <Choice
            legend={trans.__('Start from')}
            name={`${ids}-source`}
            value={draft.source}
            options={[
              ['template', trans.__('Template')],
              ['dockerfile', trans.__('Dockerfile')],
              ['import', trans.__('Existing image')],
              ['duplicate', trans.__('A copy')],
              ['archive', trans.__('Archive')]
            ]}
            onChange={value => {
              if (value === 'dockerfile') {
                model.toDockerfile();
              } else if (value === 'template') {
                void model.toTemplate();
              } else {
                model.toOther(value);
              }
            }}
          />
          {template ? (
            <TemplateFields ids={ids} trans={trans} model={model} />
          ) : described ? (
            <DockerfileFields ids={ids} trans={trans} model={model} />
          ) : (
            <OtherFields
              ids={ids}
              trans={trans}
              model={model}
              pickFile={props.pickFile}
            />
          )}
          <StorageChoice
            ids={ids}
            trans={trans}
            value={draft.storage}
            usage={manager.usage}
            ask={() => manager.api.storageChoices(model.project.id)}
            onChange={storage => model.set({ storage })}
          />
          <div className="jp-ImageManager-field">
            <label className="jp-ImageManager-check">
              <input
                type="checkbox"
                checked={draft.activate}
                onChange={event =>
                  model.set({ activate: event.target.checked })
                }
              />
              {trans.__('Activate it when it is ready')}
            </label>
            <div className="jp-ImageManager-sub">
              {trans.__(
                'It is checked first. If anything fails, all stays as it is.'
              )}
            </div>
          </div>
        </div>
        <div>
          {source === 'import' || source === 'archive' ? (
            <Steps model={model} trans={trans} />
          ) : (
            <>
              <div className="jp-ImageManager-codeHead">
                <h2>{trans.__('Dockerfile')}</h2>
                <span className="jp-ImageManager-space" />
                {template ? (
                  <>
                    <span className="jp-ImageManager-sub">
                      {trans.__('follows the form')}
                    </span>
                    <ActionButton
                      kind="link"
                      disabled={!model.text}
                      onClick={() => model.editAsText()}
                    >
                      {trans.__('Edit as text')}
                    </ActionButton>
                  </>
                ) : !described ? (
                  <span className="jp-ImageManager-sub">
                    {trans.__('of the image, without what is added')}
                  </span>
                ) : (
                  <span className="jp-ImageManager-sub">
                    {model.changed
                      ? trans.__('changed here; the file stays as it is')
                      : draft.file || trans.__('a text of this image only')}
                  </span>
                )}
              </div>
              {model.problem && (
                <div
                  className="jp-ImageManager-banner"
                  data-tone="error"
                  role="status"
                >
                  {model.problem}
                </div>
              )}
              {template || !described ? (
                !model.problem &&
                model.text && (
                  <DockerfileView
                    text={model.text}
                    remarks={model.remarks}
                    trans={trans}
                  />
                )
              ) : (
                <DockerfileEditor
                  text={model.text}
                  remarks={model.remarks}
                  editors={props.editors}
                  editor={editor}
                  trans={trans}
                  onChange={text => model.set({ text })}
                />
              )}
              <Remarks
                remarks={model.remarks}
                trans={trans}
                onLine={
                  template || !described
                    ? undefined
                    : line => {
                        editor.current?.setCursorPosition({
                          line: line - 1,
                          column: 0
                        });
                        editor.current?.focus();
                      }
                }
                onMend={remark => model.mend(remark)}
              />
            </>
          )}
          {described && context && (
            <ContextView
              context={context}
              confirmed={confirmed}
              trans={trans}
              ignored={sent.ignored}
              onConfirm={setConfirmed}
              onIgnore={(file, ignored) => void sent.ignore(file, ignored)}
            />
          )}
          {described && model.text && !model.problem && (
            <Prospects
              remarks={model.remarks}
              usage={manager.usage}
              trans={trans}
              onMend={remark => model.mend(remark)}
            />
          )}
          {usual !== null && (
            <p className="jp-ImageManager-sub">
              {trans.__(
                'Takes %1. You can go on working meanwhile.',
                formatAbout(usual, trans)
              )}
            </p>
          )}
        </div>
      </div>
    </form>
  );
}

/**
 * What is wrong with a name; empty when nothing is.
 */
export function checkName(name: string, trans: TranslationBundle): string {
  if (!name) {
    return trans.__('Give it a name.');
  }
  return /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name)
    ? ''
    : trans.__('Small letters and digits, joined by “-”, “_” or “.”.');
}
