import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatSize } from '../format';
import { messageOf } from '../request';
import type { IStoragePreview } from '../storageapi';
import type { IImage } from '../tokens';
import type { IGoing } from './going';
import { ActionButton, ProgressBar } from './parts';

/** Milliseconds between two looks at what is under way. */
const PACE = 500;

/**
 * What is asked before something is done with where an image is kept, and what becomes of it.
 */
export interface IDoing {
  /** The word of the button. */
  label: string;
  /** What is said when it is done. */
  done: string;
  /** Do it; what goes on from then is looked at again and again, null for nothing. */
  run: (confirm: boolean) => Promise<(() => Promise<IGoing>) | null>;
  /** End what goes on, where that can be. */
  cancel?: () => Promise<void>;
}

/**
 * The question, its tick where it is final, the progress and the end.
 */
export function Doing(props: {
  doing: IDoing;
  final: boolean;
  trans: TranslationBundle;
  onDone: () => void;
  children: React.ReactNode;
}): JSX.Element {
  const { doing, final, trans } = props;
  const [ticked, setTicked] = React.useState(false);
  const [busy, setBusy] = React.useState(false);
  const [going, setGoing] = React.useState<IGoing | null>(null);
  const [problem, setProblem] = React.useState('');
  const [done, setDone] = React.useState(false);
  const shown = React.useRef(true);
  React.useEffect(() => {
    shown.current = true;
    return () => {
      shown.current = false;
    };
  }, []);
  const start = async () => {
    setBusy(true);
    setProblem('');
    try {
      const look = await doing.run(ticked);
      while (look && shown.current) {
        const now = await look();
        setGoing(now);
        if (now.done) {
          setProblem(now.problem);
          setDone(!now.problem);
          break;
        }
        await new Promise(resolve => setTimeout(resolve, PACE));
      }
      if (!look) {
        setDone(true);
      }
    } catch (error) {
      setProblem(messageOf(error));
    }
    setBusy(false);
    props.onDone();
  };
  return (
    <div className="jp-ImageManager-doing">
      {done ? (
        <p role="status">{doing.done}</p>
      ) : (
        <>
          {props.children}
          {final && (
            <label className="jp-ImageManager-check">
              <input
                type="checkbox"
                checked={ticked}
                disabled={busy}
                onChange={event => setTicked(event.target.checked)}
              />
              <span>{trans.__('I know that this is final.')}</span>
            </label>
          )}
          {going && !going.done && (
            <div role="status">
              <ProgressBar value={going.share} label={doing.label} />
              <div className="jp-ImageManager-sub">{going.text}</div>
            </div>
          )}
          {problem && (
            <div
              className="jp-ImageManager-banner"
              data-tone="error"
              role="alert"
            >
              {problem}
            </div>
          )}
          <div className="jp-ImageManager-buttons">
            <ActionButton
              kind="filled"
              disabled={busy || (final && !ticked)}
              onClick={() => void start()}
            >
              {doing.label}
            </ActionButton>
            {going && !going.done && doing.cancel && (
              <ActionButton onClick={() => void doing.cancel?.()}>
                {trans.__('Cancel the transfer')}
              </ActionButton>
            )}
          </div>
        </>
      )}
    </div>
  );
}

/**
 * What an action would do: what is freed where, what still works, what does not.
 */
export function Preview(props: {
  image: IImage;
  preview: IStoragePreview;
  trans: TranslationBundle;
}): JSX.Element {
  const { preview, trans } = props;
  if (!preview.allowed) {
    return <p>{preview.reason}</p>;
  }
  const bytes: [string, number][] = [
    [trans.__('Takes on this machine'), preview.takes_engine],
    [trans.__('Freed on this machine'), preview.frees_engine],
    [trans.__('Freed in the registry'), preview.frees_registry]
  ];
  const lists: [string, string[]][] = [
    [trans.__('What goes on working'), preview.works_after],
    [trans.__('What does not'), preview.lost],
    [trans.__('The same version there'), preview.shared_with]
  ];
  return (
    <>
      <dl className="jp-ImageManager-amounts">
        {bytes
          .filter(([, amount]) => amount > 0)
          .map(([word, amount]) => (
            <React.Fragment key={word}>
              <dt>{word}</dt>
              <dd>{formatSize(amount)}</dd>
            </React.Fragment>
          ))}
      </dl>
      {lists
        .filter(([, lines]) => lines.length > 0)
        .map(([title, lines]) => (
          <section key={title}>
            <h3>{title}</h3>
            <ul className="jp-ImageManager-plainList">
              {lines.map(line => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </section>
        ))}
      {preview.final && (
        <div className="jp-ImageManager-banner" data-tone="warn">
          {trans.__('This is final: it cannot be undone.')}
        </div>
      )}
    </>
  );
}
