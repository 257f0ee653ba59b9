import * as React from 'react';

import { parseAnsi, plainText } from '../ansi';
import type { LogModel } from '../logmodel';
import type { ILogLine } from '../tokens';
import { useView } from './context';
import { ActionButton } from './parts';

/** Pixels of a line; equal to the height in the style sheet. */
const LINE_HEIGHT = 18;
/** Lines that are drawn above and below what is seen. */
const MARGIN = 20;

/**
 * The lines of a log, of which only those in view are drawn, with their search.
 */
export function LogLines(props: {
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
              lines.map(line => plainText(line.text)).join('\n')
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
export function StyledText({ text }: { text: string }): JSX.Element {
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
