import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatAbout } from '../format';
import { messageOf } from '../request';
import type {
  IBuild,
  IBuildRequest,
  IContextPreview,
  IImageManager,
  ILintItem,
  IProject,
  ITemplate,
  ITemplateChoices
} from '../tokens';
import { Choice } from './choice';
import { ContextView } from './contextview';
import { DockerfileView } from './dockerfileview';
import { ActionButton } from './parts';
import { TemplateFields } from './templatefields';

/**
 * What the page needs from outside.
 */
export interface INewImageProps {
  manager: IImageManager;
  project: IProject;
  trans: TranslationBundle;
  source?: 'template' | 'dockerfile';
  name?: string;
  /** Packages to begin with, one a line. */
  packages?: string;
  /** Dockerfiles of the project folder, relative to it. */
  dockerfiles: () => Promise<string[]>;
  /** The text of a file of the project. */
  read: (path: string) => Promise<string>;
  onSubmitted: (build: IBuild) => void;
  onCancelled: () => void;
}

/**
 * The page on which an image is described and its build submitted.
 */
export function NewImageForm(props: INewImageProps): JSX.Element {
  const { manager, project, trans } = props;
  const ids = React.useId();
  const [name, setName] = React.useState(
    props.name ?? suggestedName(manager, project)
  );
  const [source, setSource] = React.useState(props.source ?? 'template');
  const [templates, setTemplates] = React.useState<ITemplate[]>([]);
  const [template, setTemplate] = React.useState('');
  const [python, setPython] = React.useState('3.11');
  const [requirements, setRequirements] = React.useState(props.packages ?? '');
  const [apt, setApt] = React.useState('');
  const [files, setFiles] = React.useState<string[] | null>(null);
  const [file, setFile] = React.useState('');
  const [activate, setActivate] = React.useState(true);
  const [preview, setPreview] = React.useState<{ text: string; error: string }>(
    { text: '', error: '' }
  );
  const [remarks, setRemarks] = React.useState<ILintItem[]>([]);
  const [context, setContext] = React.useState<IContextPreview | null>(null);
  const [confirmed, setConfirmed] = React.useState(false);
  const [busy, setBusy] = React.useState(false);
  const [error, setError] = React.useState('');

  React.useEffect(() => {
    let current = true;
    void Promise.allSettled([
      manager.api.templates(),
      props.dockerfiles(),
      props.read('requirements.txt'),
      manager.api.context(project.id)
    ]).then(([known, found, text, sent]) => {
      if (!current) {
        return;
      }
      if (known.status === 'fulfilled') {
        setTemplates(known.value);
        setTemplate(known.value[0]?.name ?? '');
        setPython(known.value[0]?.python ?? '3.11');
      } else {
        setError(messageOf(known.reason));
      }
      const dockerfiles = found.status === 'fulfilled' ? found.value : [];
      setFiles(dockerfiles);
      setFile(dockerfiles[0] ?? 'Dockerfile');
      if (!props.source && dockerfiles.length) {
        setSource('dockerfile');
      }
      if (text.status === 'fulfilled') {
        setRequirements(withPackages(text.value, props.packages));
      }
      if (sent.status === 'fulfilled') {
        setContext(sent.value);
      }
    });
    return () => {
      current = false;
    };
  }, []);

  const choices: ITemplateChoices = {
    name: template,
    python,
    requirements,
    apt: words(apt),
    env: {}
  };
  const key = source === 'template' ? JSON.stringify(choices) : file;
  React.useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      const text =
        source === 'dockerfile'
          ? props.read(file)
          : template
            ? manager.api.renderTemplate(choices)
            : Promise.resolve('');
      text.then(
        async dockerfile => {
          if (!current) {
            return;
          }
          setPreview({ text: dockerfile, error: '' });
          const found = dockerfile
            ? await manager.api.lint(project.id, dockerfile).catch(() => [])
            : [];
          if (current) {
            setRemarks(found);
          }
        },
        reason => {
          if (current) {
            setPreview({ text: '', error: messageOf(reason) });
            setRemarks([]);
          }
        }
      );
    }, 250);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [source, key]);

  const nameProblem = checkName(name, trans);
  const tooLarge = context !== null && context.size > context.limit;
  const blocked =
    remarks.some(remark => remark.level === 'error') || !!preview.error;
  const next =
    1 +
    Math.max(
      0,
      ...manager.images
        .filter(image => image.name === name)
        .map(image => image.version)
    );
  const usual = manager.builds.find(build => build.estimate)?.estimate ?? null;
  const enabled =
    !busy &&
    !nameProblem &&
    !blocked &&
    !!preview.text &&
    (!tooLarge || confirmed);

  const submit = async () => {
    setBusy(true);
    setError('');
    const request: IBuildRequest = {
      name,
      activate,
      confirm_context: confirmed,
      ...(source === 'template'
        ? { template: choices }
        : { dockerfile_path: file })
    };
    try {
      props.onSubmitted(await manager.api.build(project.id, request));
    } catch (reason) {
      setError(messageOf(reason));
      setBusy(false);
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
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.onCancelled();
        }
      }}
    >
      <div className="jp-ImageManager-formHeader">
        <h1 id={`${ids}-title`}>{trans.__('New image')}</h1>
        <span className="jp-ImageManager-sub jp-ImageManager-cut">
          {trans.__('for the project %1', project.name)}
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
          {busy
            ? trans.__('Submitting…')
            : activate
              ? trans.__('Build and activate')
              : trans.__('Build')}
        </button>
      </div>
      {error && (
        <div className="jp-ImageManager-banner" data-tone="error" role="alert">
          {error}
        </div>
      )}
      <div className="jp-ImageManager-formColumns">
        <div>
          <div className="jp-ImageManager-field">
            <label htmlFor={`${ids}-name`}>{trans.__('Name')}</label>
            <div className="jp-ImageManager-nameField">
              <input
                id={`${ids}-name`}
                className="jp-ImageManager-input"
                value={name}
                maxLength={60}
                spellCheck={false}
                autoFocus
                aria-invalid={!!nameProblem}
                aria-describedby={`${ids}-nameNote`}
                onChange={event => setName(event.target.value)}
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
            value={source}
            options={[
              ['template', trans.__('Template')],
              ['dockerfile', trans.__('Dockerfile')]
            ]}
            onChange={value =>
              setSource(value === 'dockerfile' ? 'dockerfile' : 'template')
            }
          />
          {source === 'template' ? (
            <TemplateFields
              ids={ids}
              trans={trans}
              templates={templates}
              choices={choices}
              apt={apt}
              onTemplate={setTemplate}
              onPython={setPython}
              onRequirements={setRequirements}
              onApt={setApt}
            />
          ) : (
            <div className="jp-ImageManager-field">
              <label htmlFor={`${ids}-file`}>
                {trans.__('File of the project')}
              </label>
              <input
                id={`${ids}-file`}
                className="jp-ImageManager-input"
                spellCheck={false}
                list={`${ids}-files`}
                value={file}
                onChange={event => setFile(event.target.value)}
              />
              <datalist id={`${ids}-files`}>
                {files?.map(path => (
                  <option key={path} value={path} />
                ))}
              </datalist>
              <div className="jp-ImageManager-sub">
                {files?.length
                  ? trans._n(
                      'One Dockerfile lies in the folder.',
                      '%1 Dockerfiles lie in the folder.',
                      files.length
                    )
                  : trans.__(
                      'No Dockerfile lies in the folder itself; give the path of one below it.'
                    )}
              </div>
            </div>
          )}
          <div className="jp-ImageManager-field">
            <label className="jp-ImageManager-check">
              <input
                type="checkbox"
                checked={activate}
                onChange={event => setActivate(event.target.checked)}
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
          <h2>
            {source === 'template'
              ? trans.__('Dockerfile, as the form says')
              : trans.__('Dockerfile')}
          </h2>
          <DockerfileView
            text={preview.text}
            error={preview.error}
            remarks={remarks}
            trans={trans}
          />
          {context && (
            <ContextView
              context={context}
              confirmed={confirmed}
              trans={trans}
              onConfirm={setConfirmed}
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

function suggestedName(manager: IImageManager, project: IProject): string {
  const newest = manager.images[0];
  if (newest) {
    return newest.name;
  }
  const name = project.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name || 'environment';
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

function withPackages(text: string, packages?: string): string {
  return packages ? `${text.replace(/\n*$/, '\n')}${packages}` : text;
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}
