import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { formatSize, shortPython } from '../format';
import type { IProject, ISystemImage } from '../tokens';
import { useView } from './context';
import type { Tone } from './parts';
import { ActionButton, Chip, ImageName, Mark } from './parts';

/**
 * Images that every project sees: first the server environment, which is the way back.
 */
export function SystemImages({ project }: { project: IProject }): JSX.Element {
  const { manager, trans, run } = useView();
  const title = trans.__('System images');
  return (
    <section className="jp-ImageManager-section" aria-label={title}>
      <h3>{title}</h3>
      <ul className="jp-ImageManager-system">
        <SystemRow
          tone="none"
          name={
            <span className="jp-ImageManager-name">
              {trans.__('Server environment')}
            </span>
          }
          active={
            project.active_image_id === null &&
            trans._p('server environment', 'Active')
          }
          label={trans.__('Activate the server environment')}
          onActivate={() => run(CommandIDs.deactivate)}
          fact={serverFact(manager.systemImages[0], trans)}
        />
        {manager.systemImages.slice(1).map(image => (
          <SystemRow
            key={image.id ?? image.name}
            tone={image.id === null ? 'none' : 'ok'}
            name={
              image.version ? (
                <ImageName name={image.name} version={image.version} />
              ) : (
                <span
                  className="jp-ImageManager-name jp-ImageManager-cut"
                  title={image.name}
                >
                  {image.name}
                </span>
              )
            }
            active={
              image.id !== null &&
              project.active_image_id === image.id &&
              trans.__('Active')
            }
            label={trans.__('Activate %1', image.spec ?? image.name)}
            onActivate={
              image.id === null
                ? undefined
                : () => run(CommandIDs.activate, { image_id: image.id! })
            }
            fact={factOfSystem(image, trans)}
          />
        ))}
      </ul>
    </section>
  );
}

function SystemRow(props: {
  tone: Tone;
  name: JSX.Element;
  /** The word for it; false when it is not active. */
  active: string | false;
  label: string;
  fact: string;
  onActivate?: () => void;
}): JSX.Element {
  const { trans } = useView();
  return (
    <li className="jp-ImageManager-row" data-static="">
      <div className="jp-ImageManager-rowTitle">
        <Mark tone={props.tone} />
        {props.name}
      </div>
      <div className="jp-ImageManager-rowActions">
        {props.active ? (
          <Chip tone="ok">{props.active}</Chip>
        ) : (
          props.onActivate && (
            <ActionButton label={props.label} onClick={props.onActivate}>
              {trans.__('Activate')}
            </ActionButton>
          )
        )}
      </div>
      <div className="jp-ImageManager-rowFacts">
        <div className="jp-ImageManager-sub" dir="auto">
          {props.fact}
        </div>
      </div>
    </li>
  );
}

function serverFact(
  image: ISystemImage | undefined,
  trans: TranslationBundle
): string {
  return image?.python_version
    ? trans.__(
        'Python %1 · no image: kernels run in the server’s own Python',
        shortPython(image.python_version)
      )
    : trans.__('No image: kernels run in the server’s own Python');
}

function factOfSystem(image: ISystemImage, trans: TranslationBundle): string {
  if (image.id === null) {
    return image.warnings?.[0] ?? trans.__('The engine does not have it');
  }
  if (image.state === 'unusable' && !image.python_version) {
    return trans.__(
      'Checked when it is first activated · %1',
      image.description ?? ''
    );
  }
  return [
    image.python_version &&
      trans.__('Python %1', shortPython(image.python_version)),
    image.size ? formatSize(image.size) : '',
    image.warnings?.[0] ?? image.description
  ]
    .filter(Boolean)
    .join(' · ');
}
