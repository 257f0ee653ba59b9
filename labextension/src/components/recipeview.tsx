import * as React from 'react';

import { CommandIDs } from '../commands';
import { dockerfileOf } from '../imagemodel';
import type { ImageModel } from '../imagemodel';
import { diffLines } from '../linediff';
import type { IDiffLine } from '../linediff';
import { useAsked } from './asked';
import { useView } from './context';
import { DockerfileView } from './dockerfileview';
import { LineDiff } from './linediff';
import { ActionButton, CopyButton } from './parts';

/**
 * What an image was built from, and in what that differs from other versions.
 */
export function RecipeView({ model }: { model: ImageModel }): JSX.Element {
  const { trans, run } = useView();
  const ids = React.useId();
  const [other, setOther] = React.useState('');
  const { recipe, image } = model;
  if (!recipe) {
    return (
      <p className="jp-ImageManager-note">
        {trans.__('Its recipe is not kept.')}
      </p>
    );
  }
  const text = dockerfileOf(recipe);
  const others = model.versions.filter(each => each.id !== image.id);
  const against = others.find(each => each.id === other);
  const facts = [
    recipe.dockerfile_path && trans.__('read from %1', recipe.dockerfile_path),
    recipe.context_files > 0 &&
      trans._n(
        '%1 file of the project was sent',
        '%1 files of the project were sent',
        recipe.context_files
      ),
    recipe.secrets.length > 0 &&
      trans.__('secrets: %1', recipe.secrets.join(', '))
  ].filter(Boolean);
  return (
    <>
      {recipe.reference && (
        <p>{trans.__('Taken in from %1.', recipe.reference)}</p>
      )}
      {text ? (
        <>
          <div className="jp-ImageManager-logBar">
            {others.length > 0 && (
              <>
                <label htmlFor={`${ids}-other`}>
                  {trans.__('Changes since')}
                </label>
                <select
                  id={`${ids}-other`}
                  className="jp-ImageManager-input"
                  value={other}
                  onChange={event => setOther(event.target.value)}
                >
                  <option value="">{trans.__('no other version')}</option>
                  {others.map(each => (
                    <option key={each.id} value={each.id}>
                      {each.spec}
                    </option>
                  ))}
                </select>
              </>
            )}
            <span className="jp-ImageManager-space" />
            <CopyButton
              label={trans.__('Copy the Dockerfile')}
              text={text}
              trans={trans}
            />
            <ActionButton
              onClick={() =>
                run(CommandIDs.exportDockerfile, { image_id: image.id })
              }
            >
              {trans.__('Export as Dockerfile')}
            </ActionButton>
          </div>
          {facts.length > 0 && (
            <div className="jp-ImageManager-sub">{facts.join(' · ')}</div>
          )}
          {against ? (
            <Changes
              key={against.id}
              id={against.id}
              before={against.spec}
              now={image.spec}
              text={text}
            />
          ) : (
            <DockerfileView text={text} remarks={[]} trans={trans} />
          )}
        </>
      ) : (
        <p className="jp-ImageManager-sub">
          {trans.__('It was not built from a Dockerfile.')}
        </p>
      )}
    </>
  );
}

function Changes(props: {
  /** Of the other version. */
  id: string;
  before: string;
  now: string;
  text: string;
}): JSX.Element | null {
  const { manager, trans } = useView();
  const { id, before, now, text } = props;
  const { value: lines, problem } = useAsked(
    async () => diffLines(dockerfileOf(await manager.api.recipe(id)), text),
    [id, text]
  );
  if (problem) {
    return (
      <div className="jp-ImageManager-banner" data-tone="error" role="alert">
        {trans.__('%1 and %2 were not compared.', now, before)} {problem}
      </div>
    );
  }
  if (!lines) {
    return null;
  }
  const count = (kind: IDiffLine['kind']) =>
    lines.filter(line => line.kind === kind).length;
  return (
    <>
      <div className="jp-ImageManager-sub" role="status">
        {lines.length
          ? trans.__(
              '%1 against %2: %3 added, %4 removed',
              now,
              before,
              count('added'),
              count('removed')
            )
          : trans.__('Both are built from the same Dockerfile.')}
      </div>
      {lines.length > 0 && (
        <LineDiff
          lines={lines}
          label={trans.__('%1 against %2', now, before)}
          trans={trans}
        />
      )}
    </>
  );
}
