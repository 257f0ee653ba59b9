import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { withRequirements } from '../draft';
import type { NewImageModel } from '../newimagemodel';
import { Choice } from './choice';
import { PackageSearch } from './packagesearch';
import { ProjectFiles, Variables } from './templateextras';

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
  model: NewImageModel;
}): JSX.Element {
  const { ids, trans, model } = props;
  const { draft, templates } = model;
  return (
    <>
      {templates.length > 1 && (
        <Choice
          legend={trans.__('Template')}
          name={`${ids}-template`}
          value={draft.template}
          options={templates.map(each => [each.name, each.title ?? each.name])}
          onChange={template => model.set({ template })}
        />
      )}
      <Choice
        legend={trans.__('Python')}
        name={`${ids}-python`}
        value={draft.python}
        options={oldestFirst(
          templates.find(each => each.name === draft.template)?.pythons ??
            PYTHONS
        ).map(version => [version, version])}
        onChange={python => model.set({ python })}
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
          value={draft.requirements}
          placeholder={REQUIREMENTS_EXAMPLE}
          onChange={event => model.set({ requirements: event.target.value })}
        />
        <div className="jp-ImageManager-sub">
          {trans.__('As in a requirements.txt, one a line.')}
        </div>
      </div>
      <PackageSearch
        ids={ids}
        trans={trans}
        find={name => model.manager.api.packageVersions(name, draft.python)}
        onAdd={requirement =>
          model.set({
            requirements: withRequirements(draft.requirements, requirement)
          })
        }
      />
      <div className="jp-ImageManager-field">
        <label htmlFor={`${ids}-apt`}>{trans.__('System packages')}</label>
        <input
          id={`${ids}-apt`}
          className="jp-ImageManager-input"
          spellCheck={false}
          value={draft.apt}
          placeholder={APT_EXAMPLE}
          onChange={event => model.set({ apt: event.target.value })}
        />
        <div className="jp-ImageManager-sub">
          {trans.__('Names of apt packages.')}
        </div>
      </div>
      <Variables
        env={draft.env}
        trans={trans}
        onChange={env => model.set({ env })}
      />
      <ProjectFiles
        ids={ids}
        files={draft.files}
        known={model.files}
        trans={trans}
        onChange={files => model.set({ files })}
      />
    </>
  );
}

function oldestFirst(versions: string[]): string[] {
  const minor = (version: string) => Number(version.split('.')[1]);
  return [...versions].sort((a, b) => minor(a) - minor(b));
}
