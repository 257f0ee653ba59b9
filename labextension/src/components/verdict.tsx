import * as React from 'react';

import { CommandIDs } from '../commands';
import { shortPython } from '../format';
import type { IImageDetails, ImageModel } from '../imagemodel';
import type { ICheckItem, IStatus } from '../tokens';
import { useAsked } from './asked';
import { useView } from './context';
import { ActionButton, Chip } from './parts';

/** Good things that are named before one asks for all. */
const GOOD = 4;
/** Id of the check's item about the architecture. */
const ARCHITECTURE = 'architecture';

/**
 * One thing that must be so for kernels to run; `ok` is null where it is not known.
 */
export interface ICondition {
  id: string;
  ok: boolean | null;
  /** Whether kernels cannot run without it. */
  required: boolean;
}

/**
 * Whether an image's architecture is the machine's, and whether the engine holds it.
 */
export function conditionsOf(
  image: IImageDetails,
  status: IStatus | null
): ICondition[] {
  const machine = status?.engine.architecture ?? '';
  return [
    {
      id: 'architecture',
      ok: machine && image.architecture ? machine === image.architecture : null,
      required: true
    },
    { id: 'held', ok: image.held, required: true }
  ];
}

/**
 * Whether kernels can run in an image here: null where something of it is not known.
 */
export function worksHere(
  image: IImageDetails,
  conditions: ReadonlyArray<ICondition>
): boolean | null {
  const all = [
    ...conditions,
    ...(image.report?.items.filter(item => item.required) ?? [])
  ];
  if (all.some(each => each.ok === false)) {
    return false;
  }
  return image.report && all.every(each => each.ok) ? true : null;
}

/**
 * Whether kernels can run in an image here, and why; each thing that is missing with its cure.
 */
export function Verdict({ model }: { model: ImageModel }): JSX.Element {
  const { manager, trans, run } = useView();
  const { image } = model;
  const { report } = image;
  const { value: status, problem } = useAsked(
    () => manager.api.status(),
    [image]
  );
  const asking = !status && !problem;
  const [architecture, held] = conditionsOf(image, status);
  const works = worksHere(image, [architecture, held]);
  const machine = status?.engine.architecture ?? '';
  const [all, setAll] = React.useState(false);
  // What the first row says already is not said again.
  const found = report?.items.filter(item => item.id !== ARCHITECTURE) ?? [];
  const good = found.filter(item => item.ok);
  const hidden = new Set(all ? [] : good.slice(GOOD));
  const items = found.filter(item => !hidden.has(item));
  return (
    <section>
      <h2 className="jp-ImageManager-verdict">
        {trans.__('Will it work here?')}{' '}
        {asking ? null : works === null ? (
          <Chip tone="none">{trans.__('Not known')}</Chip>
        ) : works ? (
          <Chip tone="ok">{trans.__('Yes')}</Chip>
        ) : (
          <Chip tone="error">{trans.__('No')}</Chip>
        )}
      </h2>
      <ul className="jp-ImageManager-facts">
        <Row
          ok={architecture.ok}
          required
          title={
            image.architecture
              ? trans.__('Made for %1', image.architecture)
              : trans.__('What it is made for is not known')
          }
        >
          {asking
            ? '…'
            : !machine
              ? trans.__('the engine does not answer')
              : architecture.ok
                ? trans.__('as this machine is')
                : trans.__('this machine is %1', machine)}
        </Row>
        <Row
          ok={held.ok}
          required
          title={trans.__('The engine holds it')}
          cure={
            held.ok === false && (
              <ActionButton
                onClick={() =>
                  run(CommandIDs.newImage, { duplicate: image.id })
                }
              >
                {trans.__('Build it again…')}
              </ActionButton>
            )
          }
        >
          {held.ok === null
            ? trans.__('not known')
            : held.ok
              ? trans.__('starts at once')
              : trans.__('build it again from its recipe')}
        </Row>
        {items.map(item => (
          <Row
            key={item.id}
            ok={item.ok}
            required={item.required}
            title={titleOf(item, image)}
            cure={!item.ok && item.cure.length > 0 && <Cure item={item} />}
          >
            {item.message}
          </Row>
        ))}
      </ul>
      {good.length > GOOD && !all && (
        <ActionButton kind="link" onClick={() => setAll(true)}>
          {trans.__('and %1 more that are good', good.length - GOOD)}
        </ActionButton>
      )}
      {!report && (
        <p className="jp-ImageManager-sub">
          {trans.__('It has not been checked.')}
        </p>
      )}
      {image.state === 'unusable' && (
        <div className="jp-ImageManager-buttons">
          <ActionButton
            onClick={() => run(CommandIDs.fixImage, { image_id: image.id })}
          >
            {trans.__('Add what is missing and rebuild')}
          </ActionButton>
        </div>
      )}
    </section>
  );
}

/** What a check item found, where that says more than what it looked for. */
function titleOf(item: ICheckItem, image: IImageDetails): string {
  return item.id === 'python' && item.ok && image.python_version
    ? `Python ${shortPython(image.python_version)}`
    : item.title;
}

function Cure({ item }: { item: ICheckItem }): JSX.Element {
  const { trans } = useView();
  return (
    <>
      <span className="jp-ImageManager-sub">
        {trans.__('Lines of a Dockerfile that add it:')}
      </span>
      <pre>{item.cure.join('\n')}</pre>
    </>
  );
}

function Row(props: {
  ok: boolean | null;
  required: boolean;
  title: string;
  cure?: React.ReactNode;
  children: React.ReactNode;
}): JSX.Element {
  const { trans } = useView();
  const { ok, required } = props;
  const [tone, sign, word] =
    ok === null
      ? ['none', '?', trans.__('not known')]
      : ok
        ? ['ok', '✓', trans.__('good')]
        : required
          ? ['error', '✗', trans.__('missing')]
          : ['warn', '!', trans.__('not needed')];
  return (
    <li data-tone={tone}>
      <span className="jp-ImageManager-sign" aria-hidden="true">
        {sign}
      </span>
      <span>
        <span className="jp-ImageManager-hidden">{word}: </span>
        {props.title}
        {props.cure && <div>{props.cure}</div>}
      </span>
      <span className="jp-ImageManager-sub">{props.children}</span>
    </li>
  );
}
