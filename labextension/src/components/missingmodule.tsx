import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { buildStep, buildTime, formatAbout, progress } from '../format';
import type { MissingModules } from '../missing';
import { isDistribution } from '../modules';
import type { IOffer } from '../offers';
import type { IBuild } from '../tokens';
import { useKeptFocus } from './focus';
import { ActionButton, ProgressBar, useNow } from './parts';

/** Milliseconds within which a build's process usually starts. */
const MOMENT = 5000;

/**
 * What the bar needs from outside.
 */
export interface IMissingModuleProps {
  cell: object;
  modules: MissingModules;
  trans: TranslationBundle;
  run: (command: string, args: Record<string, string>) => void;
  /** The bar is not wanted any more; the focus goes back to the cell. */
  onClosed: () => void;
}

/**
 * The bar below a cell that lacks a module: what brings it, and how the version that has it comes along.
 */
export function MissingModule(props: IMissingModuleProps): JSX.Element {
  return (
    <UseSignal signal={props.modules.changed}>
      {() => {
        const offer = props.modules.offer(props.cell);
        return offer ? <Bar {...props} offer={offer} /> : null;
      }}
    </UseSignal>
  );
}

interface IPartProps extends IMissingModuleProps {
  offer: IOffer;
}

function Bar(props: IPartProps): JSX.Element {
  const { offer, modules, trans } = props;
  const [other, setOther] = React.useState(false);
  const place = useKeptFocus();
  const [said, setSaid] = React.useState('');
  const news = newsOf(offer, modules, trans);
  // What is there when a live region appears is not read out.
  React.useEffect(() => setSaid(news), [news]);
  const failed = offer.kind === 'waiting' && modules.stage === 'failed';
  return (
    <div
      ref={place}
      tabIndex={-1}
      className="jp-ImageManager-missing"
      role="group"
      aria-label={trans.__('Missing module %1', offer.module)}
      data-tone={failed ? 'error' : offer.kind === 'done' ? 'ok' : 'busy'}
      data-lm-suppress-shortcuts="true"
      onKeyDown={event => {
        // A notebook takes the focus at each key that it sees.
        event.stopPropagation();
        if (event.key === 'Escape') {
          if (other) {
            setOther(false);
          } else {
            props.onClosed();
          }
        }
      }}
    >
      <div className="jp-ImageManager-hidden" role="status">
        {said}
      </div>
      {other ? (
        <OtherPackage {...props} onDone={() => setOther(false)} />
      ) : offer.kind === 'waiting' ? (
        <Progress {...props} onOther={() => setOther(true)} />
      ) : (
        <Offer {...props} onOther={() => setOther(true)} />
      )}
    </div>
  );
}

function Offer(props: IPartProps & { onOther: () => void }): JSX.Element {
  const { cell, offer, modules, trans } = props;
  const { kind, distribution, base } = offer;
  const primary =
    kind === 'offer'
      ? { label: trans.__('Add it'), act: () => void modules.add(cell) }
      : kind === 'here'
        ? { label: trans.__('Use it here'), act: () => void modules.use(cell) }
        : kind === 'first'
          ? {
              label: trans.__('Make an image with it…'),
              act: () =>
                props.run(CommandIDs.newImage, {
                  source: 'template',
                  packages: distribution
                })
            }
          : null;
  return (
    <>
      <div className="jp-ImageManager-missingText">
        {kind === 'done' ? (
          <span>{newsOf(offer, modules, trans)}</span>
        ) : kind === 'held' || kind === 'here' ? (
          <span>
            <b>{distribution}</b>{' '}
            {kind === 'here'
              ? trans.__('is in %1, which is active.', base!.spec)
              : trans.__('is in %1 already, and does not bring', base!.spec)}
            {kind === 'held' && (
              <>
                {' '}
                <code>{offer.module}</code>.
              </>
            )}
          </span>
        ) : (
          <span>
            <b>{distribution}</b>{' '}
            {offer.known ? trans.__('brings') : trans.__('may bring')}{' '}
            <code>{offer.module}</code>.
          </span>
        )}{' '}
        <span className="jp-ImageManager-sub">{detailOf(offer, trans)}</span>
        {offer.error && (
          <div className="jp-ImageManager-sub" data-tone="error" role="alert">
            {trans.__('It was not added.')} {offer.error}
          </div>
        )}
      </div>
      <div className="jp-ImageManager-missingActions">
        {kind !== 'done' && (
          <ActionButton kind="link" onClick={props.onOther}>
            {trans.__('Another package')}
          </ActionButton>
        )}
        <ActionButton onClick={props.onClosed}>
          {kind === 'done' || kind === 'held'
            ? trans.__('Close')
            : trans.__('Not now')}
        </ActionButton>
        {primary && (
          <ActionButton kind="filled" onClick={primary.act}>
            {primary.label}
          </ActionButton>
        )}
      </div>
    </>
  );
}

function Progress(props: IPartProps & { onOther: () => void }): JSX.Element {
  const { cell, offer, modules, trans } = props;
  const { build, image, stage } = modules;
  const running = stage === 'making';
  const now = useNow(running);
  const log = build && (
    <ActionButton
      kind="link"
      onClick={() => props.run(CommandIDs.openLog, { build_id: build.id })}
    >
      {trans.__('Open log')}
    </ActionButton>
  );
  return (
    <>
      <div className="jp-ImageManager-missingText">
        <span>{newsOf(offer, modules, trans)}</span>{' '}
        <span className="jp-ImageManager-sub">
          {running && build
            ? progressDetail(build, trans, now)
            : stage === 'ready'
              ? readyDetail(modules, trans)
              : stage === 'failed'
                ? trans.__('Nothing else has changed.')
                : ''}
        </span>
        {stage === 'failed' && build?.failure && (
          <div className="jp-ImageManager-missingLine">
            {decisive(build, trans)}
          </div>
        )}
        {modules.error && (
          <div className="jp-ImageManager-sub" data-tone="error" role="alert">
            {modules.error}
          </div>
        )}
        {running && build && image && (
          <ProgressBar
            value={progress(build, now)}
            label={trans.__('Progress of %1', image.spec)}
          />
        )}
      </div>
      <div className="jp-ImageManager-missingActions">
        {log}
        {running && (
          <ActionButton
            disabled={build?.cancel_requested}
            onClick={() => void modules.cancel()}
          >
            {trans.__('Cancel')}
          </ActionButton>
        )}
        {stage === 'failed' && (
          <>
            <ActionButton kind="link" onClick={props.onOther}>
              {trans.__('Another package')}
            </ActionButton>
            <ActionButton onClick={props.onClosed}>
              {trans.__('Close')}
            </ActionButton>
            <ActionButton onClick={() => void modules.add(cell)}>
              {trans.__('Try again')}
            </ActionButton>
          </>
        )}
        {stage === 'ready' && (
          <>
            <ActionButton onClick={props.onClosed}>
              {trans.__('Not now')}
            </ActionButton>
            <ActionButton kind="filled" onClick={() => void modules.use()}>
              {trans.__('Use it here')}
            </ActionButton>
          </>
        )}
      </div>
    </>
  );
}

function OtherPackage(props: IPartProps & { onDone: () => void }): JSX.Element {
  const { cell, offer, modules, trans } = props;
  const id = React.useId();
  const [text, setText] = React.useState(offer.distribution);
  const fits = isDistribution(text.trim());
  return (
    <form
      className="jp-ImageManager-missingForm"
      onSubmit={event => {
        event.preventDefault();
        if (fits) {
          void modules.rename(cell, text.trim()).then(props.onDone);
        }
      }}
    >
      <label htmlFor={id}>
        {trans.__('Package that brings')} <code>{offer.module}</code>
      </label>
      <input
        id={id}
        className="jp-ImageManager-input"
        value={text}
        maxLength={100}
        spellCheck={false}
        autoFocus
        aria-invalid={!fits}
        onChange={event => setText(event.target.value)}
      />
      <div className="jp-ImageManager-missingActions">
        <ActionButton onClick={props.onDone}>{trans.__('Back')}</ActionButton>
        <button
          type="submit"
          className="jp-ImageManager-button"
          data-kind="filled"
          disabled={!fits}
        >
          {trans.__('Take it')}
        </button>
      </div>
    </form>
  );
}

function progressDetail(
  build: IBuild,
  trans: TranslationBundle,
  now: number
): string {
  if (build.state === 'queued' && !build.cancel_requested) {
    // Its process takes a moment to start; only after that does it wait for others.
    return now - Date.parse(build.created) < MOMENT
      ? trans.__('starting')
      : buildTime(build, trans, now);
  }
  return `${buildStep(build, trans)} · ${buildTime(build, trans, now)}`;
}

/**
 * What a person who cannot see the bar should hear.
 */
export function newsOf(
  offer: IOffer,
  modules: Pick<MissingModules, 'stage' | 'image'>,
  trans: TranslationBundle
): string {
  const spec = modules.image?.spec ?? '';
  if (offer.kind === 'done') {
    return trans.__('This notebook runs in %1 now.', spec);
  }
  if (offer.kind !== 'waiting') {
    return offer.kind === 'held'
      ? trans.__(
          '%1 is in %2 already, and does not bring %3.',
          offer.distribution,
          offer.base!.spec,
          offer.module
        )
      : offer.kind === 'here'
        ? trans.__(
            '%1 is in %2, which is active.',
            offer.distribution,
            offer.base!.spec
          )
        : trans.__('%1 can be added for %2.', offer.distribution, offer.module);
  }
  switch (modules.stage) {
    case 'making':
      return trans.__('%1 with %2 is being made.', spec, offer.distribution);
    case 'ready':
      return trans.__('%1 with %2 is ready.', spec, offer.distribution);
    case 'using':
      return trans.__('The kernel restarts in %1, then the cell runs.', spec);
    case 'failed':
      return trans.__('%1 was not made.', spec);
    default:
      return trans.__('Asking for a version with %1…', offer.distribution);
  }
}

function detailOf(offer: IOffer, trans: TranslationBundle): string {
  switch (offer.kind) {
    case 'offer': {
      const name = offer.base!.name;
      const takes =
        offer.estimate === null
          ? trans.__('It joins a new version of %1;', name)
          : trans.__(
              'A new version of %1 with it takes %2;',
              name,
              formatAbout(offer.estimate, trans)
            );
      const rest = trans.__(
        'this notebook goes on in it, without its variables.'
      );
      return offer.known
        ? `${takes} ${rest}`
        : `${trans.__('It has the same name; look it up before you add it.')} ${takes} ${rest}`;
    }
    case 'here':
      return trans.__(
        'This notebook’s kernel runs elsewhere; it restarts, and its variables are lost.'
      );
    case 'first':
      return offer.project
        ? trans.__('This project has no active image yet.')
        : trans.__(
            'Notebooks here run in the server’s Python; make this folder a project with an image that has it.'
          );
    default:
      return '';
  }
}

function readyDetail(
  modules: Pick<MissingModules, 'workedOn' | 'others'>,
  trans: TranslationBundle
): string {
  const restart = trans.__('The kernel restarts, and its variables are lost.');
  return modules.others
    ? `${restart} ${trans._n(
        'Another notebook of the project stays where it runs until its kernel is restarted.',
        '%1 other notebooks of the project stay where they run until their kernels are restarted.',
        modules.others
      )}`
    : restart;
}

/**
 * The line of a failed build that says why.
 */
export function decisive(build: IBuild, trans: TranslationBundle): string {
  const { failure } = build;
  if (!failure) {
    return trans.__('The log says why.');
  }
  if (failure.hint) {
    return failure.hint;
  }
  return failure.lines[failure.lines.length - 1] || failure.message;
}
