import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import {
  buildStep,
  buildTime,
  elapsed,
  formatClock,
  isDone,
  progress,
  stateWord
} from '../format';
import { hasFailed } from '../logmodel';
import type { ILogStep, LogModel } from '../logmodel';
import type { IBuild, IBuildFailure, IImage } from '../tokens';
import { useView } from './context';
import { useKeptFocus } from './focus';
import { LogLines, StyledText } from './loglines';
import type { Tone } from './parts';
import { ActionButton, Chip, ProgressBar, useNow } from './parts';

/**
 * The page of a build's log.
 */
export function LogView(props: {
  model: LogModel;
  image: IImage;
}): JSX.Element {
  const { manager } = useView();
  return (
    <UseSignal signal={props.model.stateChanged}>
      {() => (
        // What can be done next depends on the image, which is known a moment after its build.
        <UseSignal signal={manager.stateChanged}>
          {() => <LogBody {...props} />}
        </UseSignal>
      )}
    </UseSignal>
  );
}

function LogBody({
  model,
  image
}: {
  model: LogModel;
  image: IImage;
}): JSX.Element {
  const page = useKeptFocus();
  return (
    <div className="jp-ImageManager-log" ref={page} tabIndex={-1}>
      <LogHeader model={model} image={image} />
      <LogParts model={model} />
    </div>
  );
}

/**
 * A log without a title: part of another page.
 */
export function LogContent({ model }: { model: LogModel }): JSX.Element {
  return (
    <UseSignal signal={model.stateChanged}>
      {() => (
        <div className="jp-ImageManager-logContent">
          <LogParts model={model} />
        </div>
      )}
    </UseSignal>
  );
}

function LogParts({ model }: { model: LogModel }): JSX.Element {
  const { trans } = useView();
  const [target, setTarget] = React.useState<{ index: number } | null>(null);
  const decisive =
    model.complete && hasFailed(model.build) ? model.decisive() : [];
  const shown = React.useRef(false);
  React.useEffect(() => {
    if (decisive.length && !shown.current) {
      shown.current = true;
      setTarget({ index: decisive[0] });
    }
  }, [decisive.length]);
  return (
    <>
      {model.error && (
        <div className="jp-ImageManager-banner" data-tone="error" role="alert">
          {trans.__('The log cannot be shown: %1', model.error)}
        </div>
      )}
      {model.lost && (
        <div className="jp-ImageManager-banner" data-tone="warn" role="status">
          {trans.__(
            'The connection is lost; the build goes on. Connecting again…'
          )}
        </div>
      )}
      {hasFailed(model.build) && <Failure build={model.build} />}
      <div className="jp-ImageManager-logColumns">
        <Steps
          model={model}
          onStep={step => setTarget({ index: step.index })}
        />
        <LogLines model={model} target={target} decisive={decisive} />
      </div>
    </>
  );
}

function toneOfBuild(build: IBuild): Tone {
  switch (build.state) {
    case 'succeeded':
      return 'ok';
    case 'failed':
      return 'error';
    case 'cancelled':
    case 'interrupted':
      return 'warn';
    default:
      return 'busy';
  }
}

function LogHeader({
  model,
  image
}: {
  model: LogModel;
  image: IImage;
}): JSX.Element {
  const { manager, trans, run } = useView();
  const { build } = model;
  const done = isDone(build);
  const now = useNow(!done);
  const current = manager.image(image.id);
  const time = done
    ? build.state === 'succeeded'
      ? trans.__('took %1', formatClock(elapsed(build)))
      : trans.__('stopped after %1', formatClock(elapsed(build)))
    : buildTime(build, trans, now);
  return (
    <div className="jp-ImageManager-logHeader">
      <div className="jp-ImageManager-logTitle">
        <h1>{image.spec}</h1>
        <span role="status">
          <Chip tone={toneOfBuild(build)}>{stateWord(build.state, trans)}</Chip>
        </span>
        <div className="jp-ImageManager-sub">
          {[image.project, time, ...(done ? [] : [buildStep(build, trans)])]
            .filter(Boolean)
            .join(' · ')}
        </div>
      </div>
      <div className="jp-ImageManager-buttons">
        {!done && (
          <ActionButton
            disabled={build.cancel_requested}
            onClick={() => run(CommandIDs.cancelBuild, { build_id: build.id })}
          >
            {trans.__('Cancel the build')}
          </ActionButton>
        )}
        {hasFailed(build) && (
          <>
            <ActionButton
              onClick={() => run(CommandIDs.newImage, { name: image.name })}
            >
              {trans.__('Edit and rebuild')}
            </ActionButton>
            <ActionButton
              kind="filled"
              onClick={() => run(CommandIDs.retryBuild, { build_id: build.id })}
            >
              {trans.__('Try again')}
            </ActionButton>
          </>
        )}
        {build.state === 'succeeded' &&
          current?.state === 'ready' &&
          !current.active && (
            <ActionButton
              kind="filled"
              onClick={() => run(CommandIDs.activate, { image_id: image.id })}
            >
              {trans.__('Activate')}
            </ActionButton>
          )}
      </div>
      {!done && (
        <ProgressBar
          value={progress(build, now)}
          label={trans.__('Progress of %1', image.spec)}
        />
      )}
    </div>
  );
}

function Failure({ build }: { build: IBuild }): JSX.Element {
  const { manager, trans } = useView();
  const { failure } = build;
  const active = manager.project?.active_image;
  const title =
    build.state === 'cancelled'
      ? trans.__('The build was cancelled')
      : failure?.step
        ? trans.__(
            'Step %1 of %2 failed: %3',
            failure.step,
            build.steps || failure.step,
            failure.instruction
          )
        : build.state === 'interrupted'
          ? trans.__('The build was interrupted')
          : trans.__('The build failed');
  return (
    <div
      className="jp-ImageManager-failure"
      data-tone={build.state === 'failed' ? 'error' : 'warn'}
      role="alert"
    >
      <h2>{title}</h2>
      {failure && <p>{reasonOf(failure, trans)}</p>}
      {failure && failure.lines.length > 0 && (
        <pre role="group" aria-label={trans.__('Decisive lines')}>
          {failure.lines.map((line, index) => (
            <div key={index}>
              <StyledText text={line} />
            </div>
          ))}
        </pre>
      )}
      {failure?.hint && <p>{failure.hint}</p>}
      <p className="jp-ImageManager-sub">
        {active
          ? trans.__(
              'Nothing else has changed: %1 is still active.',
              active.spec
            )
          : trans.__('Nothing else has changed.')}
      </p>
    </div>
  );
}

function phaseTitle(step: ILogStep, trans: TranslationBundle): string {
  switch (step.title) {
    case 'checking':
      return trans.__('Check that it works');
    case 'saving':
      return trans.__('Save');
    default:
      return trans.__('Push to the registry');
  }
}

/**
 * Why it failed, without what the title says already.
 */
function reasonOf(failure: IBuildFailure, trans: TranslationBundle): string {
  return failure.step &&
    failure.exit_code !== null &&
    failure.message.includes(failure.instruction)
    ? trans.__('The instruction ended with exit code %1.', failure.exit_code)
    : failure.message;
}

function Steps(props: {
  model: LogModel;
  onStep: (step: ILogStep) => void;
}): JSX.Element {
  const { trans } = useView();
  const { steps, build } = props.model;
  const now = useNow(!isDone(build));
  const last = steps[steps.length - 1];
  const failed = !hasFailed(build)
    ? null
    : build.failure?.step
      ? steps.find(step => step.number === build.failure?.step)
      : last;
  return (
    <nav className="jp-ImageManager-steps" aria-label={trans.__('Steps')}>
      <ol>
        {steps.map(step => {
          const runs = step.seconds === null && step === last && !isDone(build);
          const state = step === failed ? 'failed' : runs ? 'running' : 'done';
          const title = step.number ? step.title : phaseTitle(step, trans);
          const word =
            state === 'failed'
              ? trans.__('failed')
              : state === 'running'
                ? trans.__('running')
                : trans.__('done');
          return (
            <li key={`${step.number}-${step.index}`}>
              <button
                type="button"
                data-state={state}
                title={title}
                onClick={() => props.onStep(step)}
              >
                <span aria-hidden="true">
                  {state === 'failed' ? '✗' : runs ? '●' : '✓'}
                </span>
                <span className="jp-ImageManager-cut">
                  <span className="jp-ImageManager-hidden">
                    {step.number
                      ? trans.__('Step %1, %2: ', step.number, word)
                      : `${word}: `}
                  </span>
                  {title}
                </span>
                <span>
                  {step.cached
                    ? trans.__('cached')
                    : formatClock(
                        step.seconds ??
                          Math.max(0, elapsed(build, now) - step.start)
                      )}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
