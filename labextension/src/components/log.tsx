import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { parseAnsi } from '../ansi';
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
import type { IBuild, IImage, ILogLine } from '../tokens';
import { useView } from './context';
import type { Tone } from './parts';
import { ActionButton, Chip, ProgressBar, useNow } from './parts';

/** Pixels of a line; equal to the height in the style sheet. */
const LINE_HEIGHT = 18;
/** Lines that are drawn above and below what is seen. */
const MARGIN = 20;

/**
 * The page of a build's log.
 */
export function LogView(props: {
  model: LogModel;
  image: IImage;
}): JSX.Element {
  return (
    <UseSignal signal={props.model.stateChanged}>
      {() => <LogBody {...props} />}
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
    <div className="jp-ImageManager-log">
      <LogHeader model={model} image={image} />
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
    </div>
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
        <Chip tone={toneOfBuild(build)}>{stateWord(build.state, trans)}</Chip>
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
      {failure && failure.message !== title && <p>{failure.message}</p>}
      {failure && failure.lines.length > 0 && (
        <pre aria-label={trans.__('Decisive lines')}>
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

function Steps(props: {
  model: LogModel;
  onStep: (step: ILogStep) => void;
}): JSX.Element {
  const { trans } = useView();
  const { steps, build } = props.model;
  const now = useNow(!isDone(build));
  const failed = hasFailed(build)
    ? (build.failure?.step ?? steps[steps.length - 1]?.number)
    : null;
  return (
    <nav className="jp-ImageManager-steps" aria-label={trans.__('Steps')}>
      <ol>
        {steps.map((step, index) => {
          const runs =
            step.seconds === null &&
            index === steps.length - 1 &&
            !isDone(build);
          const state =
            step.number === failed ? 'failed' : runs ? 'running' : 'done';
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
                title={step.title}
                aria-label={trans.__(
                  'Step %1, %2: %3',
                  step.number,
                  word,
                  step.title
                )}
                onClick={() => props.onStep(step)}
              >
                <span aria-hidden="true">
                  {state === 'failed' ? '✗' : runs ? '●' : '✓'}
                </span>
                <span className="jp-ImageManager-cut">{step.title}</span>
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

function LogLines(props: {
  model: LogModel;
  target: { index: number } | null;
  decisive: number[];
}): JSX.Element {
  const { trans } = useView();
  const { model, target } = props;
  const lines = model.lines;
  const pane = React.useRef<HTMLDivElement>(null);
  const [view, setView] = React.useState({ top: 0, height: 400 });
  const [follow, setFollow] = React.useState(true);
  const [query, setQuery] = React.useState('');
  const [current, setCurrent] = React.useState(0);
  const count = lines.length;
  const hits = React.useMemo(() => model.search(query), [model, query, count]);
  const decisive = new Set(props.decisive);

  const show = (index: number) => {
    const node = pane.current;
    if (node) {
      setFollow(false);
      node.scrollTop = Math.max(0, index * LINE_HEIGHT - node.clientHeight / 3);
    }
  };
  const goto = (hit: number) => {
    if (hits.length) {
      const next = (hit + hits.length) % hits.length;
      setCurrent(next);
      show(hits[next]);
    }
  };

  React.useLayoutEffect(() => {
    const node = pane.current;
    if (node && follow) {
      node.scrollTop = node.scrollHeight;
    }
  }, [count, follow, view.height]);
  React.useEffect(() => {
    if (target) {
      show(target.index);
    }
  }, [target]);
  React.useEffect(() => {
    setCurrent(0);
    if (query && hits.length) {
      show(hits[0]);
    }
  }, [query]);
  React.useEffect(() => {
    const node = pane.current!;
    const observer = new ResizeObserver(() =>
      setView({ top: node.scrollTop, height: node.clientHeight })
    );
    observer.observe(node);
    return () => observer.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(view.top / LINE_HEIGHT) - MARGIN);
  const last = Math.min(
    count,
    Math.ceil((view.top + view.height) / LINE_HEIGHT) + MARGIN
  );
  const hitLines = new Set(hits);
  return (
    <div className="jp-ImageManager-logPane">
      <div className="jp-ImageManager-logBar" role="search">
        <input
          type="search"
          className="jp-ImageManager-input"
          value={query}
          placeholder={trans._n(
            'Search in %1 line',
            'Search in %1 lines',
            count
          )}
          aria-label={trans.__('Search in the log')}
          onChange={event => setQuery(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              goto(current + (event.shiftKey ? -1 : 1));
              event.preventDefault();
            } else if (event.key === 'Escape') {
              setQuery('');
              pane.current?.focus();
              event.stopPropagation();
            }
          }}
        />
        {query && (
          <span className="jp-ImageManager-sub" role="status">
            {hits.length
              ? trans.__('%1 of %2', current + 1, hits.length)
              : trans.__('Not found')}
          </span>
        )}
        <span className="jp-ImageManager-space" />
        {!follow && !model.complete && (
          <ActionButton onClick={() => setFollow(true)}>
            {trans.__('Follow')}
          </ActionButton>
        )}
        <ActionButton
          title={trans.__('Copy the whole log')}
          onClick={() =>
            void navigator.clipboard.writeText(
              lines
                .map(line =>
                  parseAnsi(line.text)
                    .map(run => run.text)
                    .join('')
                )
                .join('\n')
            )
          }
        >
          {trans.__('Copy')}
        </ActionButton>
        <a
          className="jp-ImageManager-button"
          data-kind="plain"
          href={model.url}
          download={`${model.build.id}.log`}
        >
          {trans.__('Download')}
        </a>
      </div>
      <div
        ref={pane}
        className="jp-ImageManager-lines"
        role="log"
        aria-live="off"
        aria-label={trans.__('Log')}
        tabIndex={0}
        onScroll={event => {
          const node = event.currentTarget;
          setView({ top: node.scrollTop, height: node.clientHeight });
          const bottom = node.scrollHeight - node.scrollTop - node.clientHeight;
          if (bottom < 2) {
            setFollow(true);
          } else if (bottom > LINE_HEIGHT && node.scrollTop < view.top) {
            setFollow(false);
          }
        }}
      >
        <div style={{ height: count * LINE_HEIGHT, position: 'relative' }}>
          <div
            className="jp-ImageManager-linesWindow"
            style={{ transform: `translateY(${first * LINE_HEIGHT}px)` }}
          >
            {lines.slice(first, last).map((line, offset) => (
              <Line
                key={line.number}
                line={line}
                mark={
                  decisive.has(first + offset)
                    ? 'decisive'
                    : hits[current] === first + offset
                      ? 'current'
                      : hitLines.has(first + offset)
                        ? 'hit'
                        : undefined
                }
              />
            ))}
          </div>
        </div>
        {!count && (
          <p className="jp-ImageManager-note">
            {model.complete
              ? trans.__('The log is empty.')
              : trans.__('Waiting for the first line…')}
          </p>
        )}
      </div>
    </div>
  );
}

const Line = React.memo(function Line(props: {
  line: ILogLine;
  mark?: string;
}): JSX.Element {
  return (
    <div
      className="jp-ImageManager-line"
      data-mark={props.mark}
      data-stream={props.line.stream}
    >
      <span className="jp-ImageManager-lineNumber" aria-hidden="true">
        {props.line.number}
      </span>
      <StyledText text={props.line.text} />
    </div>
  );
});

/**
 * Foreign text with its colours; only ever text nodes.
 */
function StyledText({ text }: { text: string }): JSX.Element {
  return (
    <span>
      {parseAnsi(text).map((run, index) =>
        run.style ? (
          <span key={index} data-style={run.style}>
            {run.text}
          </span>
        ) : (
          run.text
        )
      )}
    </span>
  );
}
