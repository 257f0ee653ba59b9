import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal, ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { elapsed, formatClock, formatDate } from '../format';
import { dockerfileOf } from '../imagemodel';
import type { ImageModel } from '../imagemodel';
import { hasFailed } from '../logmodel';
import type { LogModel } from '../logmodel';
import type { IBuild, IImage } from '../tokens';
import { AccessTab } from './accesstab';
import { useView } from './context';
import type { IMenuItem } from './context';
import { actionsOf, notPushed, stateOf, toneOf } from './facts';
import { useKeptFocus } from './focus';
import { LogContent } from './log';
import { Overview } from './overview';
import { Packages } from './packages';
import { ActionButton, Chip, CopyButton } from './parts';
import { RecipeView } from './recipeview';
import { UsageTab } from './usagetab';

type Tab = 'overview' | 'dockerfile' | 'log' | 'packages' | 'access' | 'usage';

/**
 * The page of an image.
 */
export function ImagePage(props: {
  model: ImageModel;
  /** Make the model of a build's log; it ends with the page. */
  logOf: (build: IBuild) => LogModel;
}): JSX.Element {
  return (
    <UseSignal signal={props.model.stateChanged}>
      {() => <ImageBody {...props} />}
    </UseSignal>
  );
}

function ImageBody(props: {
  model: ImageModel;
  logOf: (build: IBuild) => LogModel;
}): JSX.Element {
  const { trans } = useView();
  const { model } = props;
  const place = useKeptFocus();
  const ids = React.useId();
  const [tab, setTab] = React.useState<Tab>(
    model.image.state === 'failed' ? 'log' : 'overview'
  );
  const count = model.packages?.length;
  const tabs: [Tab, string][] = [
    ['overview', trans.__('Overview')],
    ['dockerfile', trans.__('Dockerfile')],
    ['log', trans.__('Log')],
    ['packages', count ? trans.__('Packages %1', count) : trans.__('Packages')],
    ['access', trans.__('Access')],
    ['usage', trans.__('Usage')]
  ];
  const choose = (index: number) => {
    const [next] = tabs[(index + tabs.length) % tabs.length];
    setTab(next);
    document.getElementById(`${ids}-${next}`)?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const index = tabs.findIndex(([id]) => id === tab);
    const target = {
      ArrowRight: index + 1,
      ArrowLeft: index - 1,
      Home: 0,
      End: tabs.length - 1
    }[event.key];
    if (target !== undefined) {
      choose(target);
      event.preventDefault();
    }
  };
  return (
    <div className="jp-ImageManager-image" ref={place} tabIndex={-1}>
      <Header model={model} />
      <div
        className="jp-ImageManager-tabs"
        role="tablist"
        aria-label={trans.__('About this image')}
        onKeyDown={onKeyDown}
      >
        {tabs.map(([id, label]) => (
          <button
            key={id}
            id={`${ids}-${id}`}
            type="button"
            role="tab"
            aria-selected={id === tab}
            aria-controls={`${ids}-panel`}
            tabIndex={id === tab ? 0 : -1}
            onClick={() => setTab(id)}
          >
            {label}
          </button>
        ))}
      </div>
      <div
        id={`${ids}-panel`}
        className="jp-ImageManager-tabPanel"
        role="tabpanel"
        aria-labelledby={`${ids}-${tab}`}
      >
        {model.error ? (
          <div
            className="jp-ImageManager-banner"
            data-tone="error"
            role="alert"
          >
            {trans.__('The image cannot be shown: %1', model.error)}
          </div>
        ) : !model.loaded ? (
          <p className="jp-ImageManager-note" role="status">
            {trans.__('Asking the server…')}
          </p>
        ) : tab === 'overview' ? (
          <Overview model={model} />
        ) : tab === 'dockerfile' ? (
          <RecipeView model={model} />
        ) : tab === 'log' ? (
          <Log {...props} />
        ) : tab === 'packages' ? (
          <Packages model={model} />
        ) : tab === 'access' ? (
          <AccessTab model={model} />
        ) : (
          <UsageTab model={model} />
        )}
      </div>
    </div>
  );
}

function Header({ model }: { model: ImageModel }): JSX.Element {
  const { manager, trans, run, openMenu } = useView();
  // What the panel knows is newer than what this page has asked for.
  const image = manager.image(model.image.id) ?? model.image;
  const { action, menu } = actionsOf(image, trans);
  const state = stateOf(image, model.build ?? undefined, trans);
  const digest = image.digest || image.engine_image;
  const byImage = { image_id: image.id };
  const again: Record<string, string> =
    model.recipe && dockerfileOf(model.recipe)
      ? { duplicate: image.id }
      : { name: image.name };
  const more: IMenuItem[] = [
    ...menu.filter(
      each =>
        each.command !== CommandIDs.openImage &&
        each.command !== action?.command
    ),
    { command: CommandIDs.exportDockerfile, args: byImage },
    ...(image.state === 'ready'
      ? [{ command: CommandIDs.addPackages, args: byImage }]
      : [])
  ];
  return (
    <div className="jp-ImageManager-logHeader">
      <div className="jp-ImageManager-logTitle">
        <h1>{image.spec}</h1>
        <Chip tone={toneOf(image)}>
          {image.active ? trans.__('Active') : state || trans.__('Ready')}
        </Chip>
        <div className="jp-ImageManager-sub">
          {madeOf(image, model.build, trans)}
          {digest && (
            <>
              {' · '}
              <code title={digest}>{digest.slice(0, 19)}…</code>{' '}
              <CopyButton
                kind="link"
                label={trans.__('Copy the digest')}
                text={digest}
                trans={trans}
              />
            </>
          )}
        </div>
        {image.description && (
          <div className="jp-ImageManager-sub" dir="auto">
            {image.description}
          </div>
        )}
      </div>
      <div className="jp-ImageManager-buttons">
        <ActionButton onClick={() => run(CommandIDs.newImage, again)}>
          {trans.__('New version…')}
        </ActionButton>
        <button
          type="button"
          className="jp-ImageManager-more"
          aria-haspopup="menu"
          title={trans.__('More')}
          aria-label={trans.__('More about %1', image.spec)}
          onClick={event => openMenu(more, event.currentTarget)}
        >
          <ellipsesIcon.react tag="span" width="16px" height="16px" />
        </button>
        {image.state === 'failed' && image.last_build_id && (
          <ActionButton
            kind="filled"
            onClick={() =>
              run(CommandIDs.retryBuild, { build_id: image.last_build_id! })
            }
          >
            {trans.__('Try again')}
          </ActionButton>
        )}
        {notPushed(image) && model.build && hasFailed(model.build) && (
          <ActionButton
            title={trans.__(
              'It is saved on this machine only: push it to the registry, without building it'
            )}
            onClick={() =>
              run(CommandIDs.retryBuild, { build_id: image.last_build_id! })
            }
          >
            {trans.__('Push')}
          </ActionButton>
        )}
        {action && action.command !== CommandIDs.openLog && (
          <ActionButton
            kind="filled"
            onClick={() => run(action.command, action.args)}
          >
            {action.label}
          </ActionButton>
        )}
      </div>
    </div>
  );
}

/** Where and when it was made, by whom, and in what time. */
function madeOf(
  image: IImage,
  build: IBuild | null,
  trans: TranslationBundle
): string {
  const made = trans.__(
    '%1 · made on %2 by %3',
    image.project,
    formatDate(image.created),
    image.created_by
  );
  return build?.kind === 'build' && build.state === 'succeeded'
    ? trans.__('%1 in %2', made, formatClock(elapsed(build)))
    : made;
}

function Log(props: {
  model: ImageModel;
  logOf: (build: IBuild) => LogModel;
}): JSX.Element {
  const { trans } = useView();
  const { build } = props.model;
  const log = React.useMemo(
    () => (build ? props.logOf(build) : null),
    [build?.id, build?.attempt]
  );
  return log ? (
    <LogContent model={log} />
  ) : (
    <p className="jp-ImageManager-note">
      {trans.__('No build of it is known: it was taken in as it is.')}
    </p>
  );
}
