import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ITemplate, ITemplateChoices } from '../tokens';
import { Choice } from './choice';

const PYTHONS = ['3.8', '3.9', '3.10', '3.11'];
const REQUIREMENTS_EXAMPLE = 'numpy==2.3.5\npandas>=2.3';
const APT_EXAMPLE = 'libgomp1 git';

/**
 * The choices that a template takes.
 */
export function TemplateFields(props: {
  /** Prefix of the ids of elements. */
  ids: string;
  trans: TranslationBundle;
  templates: ReadonlyArray<ITemplate>;
  choices: ITemplateChoices;
  /** System packages as they are being typed. */
  apt: string;
  onTemplate: (name: string) => void;
  onPython: (version: string) => void;
  onRequirements: (text: string) => void;
  onApt: (text: string) => void;
}): JSX.Element {
  const { ids, trans, templates, choices } = props;
  return (
    <>
      {templates.length > 1 && (
        <Choice
          legend={trans.__('Template')}
          name={`${ids}-template`}
          value={choices.name}
          options={templates.map(each => [each.name, each.title ?? each.name])}
          onChange={props.onTemplate}
        />
      )}
      <Choice
        legend={trans.__('Python')}
        name={`${ids}-python`}
        value={choices.python}
        options={oldestFirst(
          templates.find(each => each.name === choices.name)?.pythons ?? PYTHONS
        ).map(version => [version, version])}
        onChange={props.onPython}
      />
      <div className="jp-ImageManager-field">
        <label htmlFor={`${ids}-requirements`}>
          {trans.__('Python packages')}
        </label>
        <textarea
          id={`${ids}-requirements`}
          className="jp-ImageManager-input"
          rows={7}
          spellCheck={false}
          value={choices.requirements}
          placeholder={REQUIREMENTS_EXAMPLE}
          onChange={event => props.onRequirements(event.target.value)}
        />
        <div className="jp-ImageManager-sub">
          {trans.__('As in a requirements.txt, one a line.')}
        </div>
      </div>
      <div className="jp-ImageManager-field">
        <label htmlFor={`${ids}-apt`}>{trans.__('System packages')}</label>
        <input
          id={`${ids}-apt`}
          className="jp-ImageManager-input"
          spellCheck={false}
          value={props.apt}
          placeholder={APT_EXAMPLE}
          onChange={event => props.onApt(event.target.value)}
        />
        <div className="jp-ImageManager-sub">
          {trans.__('Names of apt packages.')}
        </div>
      </div>
    </>
  );
}

function oldestFirst(versions: string[]): string[] {
  const minor = (version: string) => Number(version.split('.')[1]);
  return [...versions].sort((a, b) => minor(a) - minor(b));
}
