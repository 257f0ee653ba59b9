import * as React from 'react';

import { CommandIDs } from '../commands';
import { formatDate } from '../format';
import type { ImageModel } from '../imagemodel';
import type { IImage } from '../tokens';
import { useAsked } from './asked';
import { useView } from './context';
import { DiffTable } from './difftable';
import { stateOf, toneOf } from './facts';
import { ActionButton, Mark } from './parts';

/** Versions that are listed before one asks for all. */
const LISTED = 8;
/** Differences that are shown before one asks for all. */
const FIRST = 6;

/**
 * The version before an image whose packages are known; null where there is none.
 */
export function versionBefore(
  image: IImage,
  versions: ReadonlyArray<IImage>
): IImage | null {
  return (
    versions.find(
      each =>
        each.version < image.version &&
        (each.state === 'ready' || each.state === 'unusable')
    ) ?? null
  );
}

/**
 * The versions of an image's name, and in what it differs from the one before.
 */
export function Versions({ model }: { model: ImageModel }): JSX.Element {
  const { trans } = useView();
  const [all, setAll] = React.useState(false);
  const { image, versions } = model;
  const before = model.packages && versionBefore(image, versions);
  const shown = all ? versions : versions.slice(0, LISTED);
  return (
    <>
      <h2>{trans.__('Versions')}</h2>
      <ul className="jp-ImageManager-facts">
        {shown.map(version => (
          <Version
            key={version.id}
            version={version}
            here={version.id === image.id}
          />
        ))}
      </ul>
      {shown.length < versions.length && (
        <ActionButton kind="link" onClick={() => setAll(true)}>
          {trans.__('and %1 more', versions.length - shown.length)}
        </ActionButton>
      )}
      {before && <Against key={before.id} image={image} before={before} />}
    </>
  );
}

function Against(props: { image: IImage; before: IImage }): JSX.Element | null {
  const { manager, trans } = useView();
  const { image, before } = props;
  const { value: diff } = useAsked(
    () => manager.api.diff(before.id, image.id),
    [before.id, image.id]
  );
  return (
    diff && (
      <section>
        <h2>
          {trans.__('%1 against %2', `:${image.version}`, `:${before.version}`)}
        </h2>
        <DiffTable diff={diff} trans={trans} most={FIRST} />
      </section>
    )
  );
}

function Version(props: { version: IImage; here: boolean }): JSX.Element {
  const { manager, trans, run } = useView();
  const { version, here } = props;
  const byImage = { image_id: version.id };
  const word = version.active
    ? trans.__('active')
    : stateOf(version, manager.lastBuild(version), trans).toLowerCase() ||
      trans.__('ready');
  return (
    <li aria-current={here || undefined}>
      <Mark tone={toneOf(version)} />
      <span>
        {here ? (
          <b>:{version.version}</b>
        ) : (
          <ActionButton
            kind="link"
            label={trans.__('Show %1', version.spec)}
            onClick={() => run(CommandIDs.openImage, byImage)}
          >
            :{version.version}
          </ActionButton>
        )}
      </span>
      <span className="jp-ImageManager-sub">
        {formatDate(version.created)} · {word}
        {!here && version.state === 'ready' && !version.active && (
          <>
            {' · '}
            <ActionButton
              kind="link"
              label={trans.__('Activate %1', version.spec)}
              onClick={() => run(CommandIDs.activate, byImage)}
            >
              {trans.__('Activate')}
            </ActionButton>
          </>
        )}
      </span>
    </li>
  );
}
