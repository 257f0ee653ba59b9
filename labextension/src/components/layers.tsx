import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatSize } from '../format';
import type { ILayer, ISharedLayer } from '../imagemodel';
import { useView } from './context';

/** Below this share of all a layer is too thin to be seen. */
const VISIBLE = 0.004;

/**
 * What made a layer, without what every builder puts around it.
 */
export function instructionOf(layer: ILayer): string {
  return layer.created_by
    .replace(/^(RUN )?\/bin\/sh -c (#\(nop\)\s*)?/, '$1')
    .replace(/\s*# buildkit$/, '')
    .replace(/\b(file|dir|multi):[0-9a-f]{12,}/g, '$1')
    .trim();
}

/**
 * A layer in few words, for where there is little room.
 */
export function shortInstruction(layer: ILayer): string {
  return instructionOf(layer)
    .replace(/^RUN\s+/, '')
    .replace(/^(python3? -m )?pip install\s+((-\S+|--\S+)\s+)*/, '')
    .replace(/\s+/g, ' ');
}

/**
 * How much of an image other images of the project have too, and how many those are.
 */
export function sharedOf(layers: ReadonlyArray<ISharedLayer>): {
  bytes: number;
  images: number;
} {
  const shared = layers.filter(layer => layer.shared_with.length > 0);
  return {
    bytes: shared.reduce((sum, layer) => sum + layer.size, 0),
    images: new Set(shared.flatMap(layer => layer.shared_with)).size
  };
}

/** Images that are named; the rest is counted. */
const NAMED = 3;

/**
 * Which other images have a layer too.
 */
export function sharers(
  specs: ReadonlyArray<string>,
  trans: TranslationBundle
): string {
  const named = specs.slice(0, NAMED).join(', ');
  const rest = specs.length - NAMED;
  return !specs.length
    ? trans.__('only in this image')
    : rest > 0
      ? trans.__('shared with %1 and %2 more', named, rest)
      : trans.__('shared with %1', named);
}

/**
 * The layers of an image as parts of one bar; what has the focus, or is pointed at, is told below.
 */
export function LayerBar(props: {
  layers: ReadonlyArray<ISharedLayer>;
}): JSX.Element {
  const { trans } = useView();
  const all = props.layers.reduce((sum, layer) => sum + layer.size, 0);
  const layers = props.layers.filter(layer => layer.size > all * VISIBLE);
  const [chosen, setChosen] = React.useState(() =>
    layers.reduce(
      (best, layer, index) => (layer.size > layers[best].size ? index : best),
      0
    )
  );
  const list = React.useRef<HTMLDivElement>(null);
  const ids = React.useId();
  if (!layers.length) {
    return (
      <p className="jp-ImageManager-sub">
        {trans.__('Its layers are not known.')}
      </p>
    );
  }
  const current = layers[Math.min(chosen, layers.length - 1)];
  const onKeyDown = (event: React.KeyboardEvent) => {
    const target = {
      ArrowRight: Math.min(chosen + 1, layers.length - 1),
      ArrowLeft: Math.max(chosen - 1, 0),
      Home: 0,
      End: layers.length - 1
    }[event.key];
    if (target !== undefined) {
      setChosen(target);
      (list.current?.children[target] as HTMLElement).focus();
      event.preventDefault();
    }
  };
  return (
    <>
      <div
        ref={list}
        className="jp-ImageManager-layers"
        role="listbox"
        aria-orientation="horizontal"
        aria-label={trans.__('Layers, from the base up')}
        onKeyDown={onKeyDown}
      >
        {layers.map((layer, index) => (
          <div
            key={index}
            role="option"
            aria-selected={index === chosen}
            aria-label={`${instructionOf(layer) || trans.__('the base')}, ${formatSize(layer.size)}`}
            aria-describedby={`${ids}-layer`}
            tabIndex={index === chosen ? 0 : -1}
            data-shared={layer.shared_with.length > 0 || undefined}
            style={{ flexGrow: layer.size }}
            onMouseEnter={() => setChosen(index)}
            onFocus={() => setChosen(index)}
          >
            <span>
              {shortInstruction(layer) || trans.__('the base')}{' '}
              {formatSize(layer.size)}
            </span>
          </div>
        ))}
      </div>
      <div className="jp-ImageManager-layer" id={`${ids}-layer`}>
        <code>{instructionOf(current) || trans.__('the base')}</code>
        <div className="jp-ImageManager-sub">
          {formatSize(current.size)}
          {' · '}
          {sharers(current.shared_with, trans)}
        </div>
      </div>
    </>
  );
}
