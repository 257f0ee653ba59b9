import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/**
 * What a colour means; the shape says it too.
 */
export type Tone = 'ok' | 'busy' | 'warn' | 'error' | 'none';

/**
 * A mark before a name: shape and colour of a state; the word stands beside it.
 */
export function Mark({ tone }: { tone: Tone }): JSX.Element {
  return (
    <span
      className="jp-ImageManager-mark"
      data-tone={tone}
      aria-hidden="true"
    />
  );
}

/**
 * A short word on a tinted ground.
 */
export function Chip(props: {
  tone: Tone;
  title?: string;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <span
      className="jp-ImageManager-chip"
      data-tone={props.tone}
      title={props.title}
    >
      {props.children}
    </span>
  );
}

/**
 * Properties of {@link ActionButton}.
 */
export interface IActionButtonProps {
  kind?: 'plain' | 'filled' | 'link';
  title?: string;
  label?: string;
  disabled?: boolean;
  tabIndex?: number;
  popup?: boolean;
  onClick: (event: React.MouseEvent<HTMLButtonElement>) => void;
  children: React.ReactNode;
}

/**
 * A button in one of our three weights.
 */
export function ActionButton(props: IActionButtonProps): JSX.Element {
  return (
    <button
      type="button"
      className="jp-ImageManager-button"
      data-kind={props.kind ?? 'plain'}
      title={props.title}
      aria-label={props.label}
      aria-haspopup={props.popup ? 'menu' : undefined}
      disabled={props.disabled}
      tabIndex={props.tabIndex}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/**
 * Milliseconds for which a button says that it has copied.
 */
const SAID = 2000;

/**
 * A button that copies a text, and says so.
 */
export function CopyButton(props: {
  kind?: IActionButtonProps['kind'];
  label: string;
  text: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  const [copied, setCopied] = React.useState(false);
  React.useEffect(() => {
    if (copied) {
      const timer = setTimeout(() => setCopied(false), SAID);
      return () => clearTimeout(timer);
    }
  }, [copied]);
  return (
    <>
      <ActionButton
        kind={props.kind}
        label={props.label}
        onClick={() => {
          void navigator.clipboard
            .writeText(props.text)
            .then(() => setCopied(true));
        }}
      >
        {copied ? trans.__('Copied') : trans.__('Copy')}
      </ActionButton>
      <span className="jp-ImageManager-hidden" role="status">
        {copied ? trans.__('Copied') : ''}
      </span>
    </>
  );
}

/**
 * A bar that fills; striped when nothing is known.
 */
export function ProgressBar(props: {
  value: number | null;
  label: string;
}): JSX.Element {
  const percent =
    props.value === null ? undefined : Math.round(props.value * 100);
  return (
    <div
      className="jp-ImageManager-bar"
      role="progressbar"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div
        style={{ width: `${percent ?? 100}%` }}
        data-unknown={percent === undefined || undefined}
      />
    </div>
  );
}

/**
 * Letters of a name's end that stay visible, at most, and from which length on.
 */
const TAIL = 6;
const SHORT = 6;

/**
 * A name that is cut in the middle, with the version always visible.
 */
export function ImageName(props: {
  name: string;
  version: number;
}): JSX.Element {
  const { name, version } = props;
  const tail = name.length > SHORT ? Math.min(TAIL, name.length >> 1) : 0;
  const cut = name.length - tail;
  return (
    <span className="jp-ImageManager-name" title={`${name}:${version}`}>
      <span className="jp-ImageManager-cut">{name.slice(0, cut)}</span>
      <span className="jp-ImageManager-version">
        {name.slice(cut)}:{version}
      </span>
    </span>
  );
}

/** Letters up to which a fact is not broken between two lines. */
const SHORT_FACT = 16;

/**
 * Facts that are joined by dots: lines break between them, not in a short one.
 */
export function Facts({ text }: { text: string }): JSX.Element {
  const facts = text.split(' · ');
  return (
    <>
      {facts.map((fact, index) => {
        const last = index === facts.length - 1;
        return (
          <React.Fragment key={index}>
            <span
              className={
                fact.length <= SHORT_FACT
                  ? 'jp-ImageManager-unbroken'
                  : undefined
              }
            >
              {last ? fact : `${fact} ·`}
            </span>
            {last ? '' : ' '}
          </React.Fragment>
        );
      })}
    </>
  );
}

/**
 * The present moment, told again every second while `running`.
 */
export function useNow(running: boolean): number {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    if (!running) {
      return;
    }
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}
