import * as React from 'react';

import { CommandIDs } from '../commands';
import { formatDate, formatSize } from '../format';
import type { ILayer, ImageModel } from '../imagemodel';
import type { ICheckItem, IImage } from '../tokens';
import { useView } from './context';
import { stateOf, toneOf } from './facts';
import { ActionButton, Mark } from './parts';

/** Layers that are told by name; the rest is one. */
const LAYERS = 5;

/**
 * Is it good, how big and why, who uses it, what other versions there are.
 */
export function Overview({ model }: { model: ImageModel }): JSX.Element {
  const { trans } = useView();
  const { image } = model;
  const { report } = image;
  return (
    <div className="jp-ImageManager-overview">
      <div>
        {image.warnings.map(warning => (
          <div
            key={warning}
            className="jp-ImageManager-banner"
            data-tone="warn"
          >
            {warning}
          </div>
        ))}
        <h2>{trans.__('Check')}</h2>
        {report ? (
          <ul className="jp-ImageManager-facts">
            {report.items.map(item => (
              <Check key={item.id} item={item} />
            ))}
          </ul>
        ) : (
          <p className="jp-ImageManager-sub">
            {trans.__('It has not been checked.')}
          </p>
        )}
        <h2>
          {image.size
            ? trans.__('Size %1', formatSize(image.size))
            : trans.__('Size')}
        </h2>
        <Layers layers={report?.layers ?? []} />
        <h2>{trans.__('Where it is used')}</h2>
        <Uses model={model} />
      </div>
      <div>
        <h2>{trans.__('Versions')}</h2>
        <ul className="jp-ImageManager-facts">
          {model.versions.map(version => (
            <Version
              key={version.id}
              version={version}
              here={version.id === image.id}
            />
          ))}
        </ul>
      </div>
    </div>
  );
}

function Check({ item }: { item: ICheckItem }): JSX.Element {
  const { trans } = useView();
  const word = item.ok
    ? trans.__('good')
    : item.required
      ? trans.__('missing')
      : trans.__('not needed');
  return (
    <li data-tone={item.ok ? 'ok' : item.required ? 'error' : 'warn'}>
      <span className="jp-ImageManager-sign" aria-hidden="true">
        {item.ok ? '✓' : item.required ? '✗' : '!'}
      </span>
      <span>
        <span className="jp-ImageManager-hidden">{word}: </span>
        {item.title}
        {!item.ok && item.cure.length > 0 && <pre>{item.cure.join('\n')}</pre>}
      </span>
      <span className="jp-ImageManager-sub">{item.message}</span>
    </li>
  );
}

function Layers({ layers }: { layers: ReadonlyArray<ILayer> }): JSX.Element {
  const { trans } = useView();
  const all = layers.reduce((sum, layer) => sum + layer.size, 0);
  if (!all) {
    return (
      <p className="jp-ImageManager-sub">
        {trans.__('Its layers are not known.')}
      </p>
    );
  }
  const biggest = [...layers]
    .sort((a, b) => b.size - a.size)
    .slice(0, LAYERS)
    .filter(layer => layer.size > 0);
  const rest = all - biggest.reduce((sum, layer) => sum + layer.size, 0);
  return (
    <>
      <div className="jp-ImageManager-layers" aria-hidden="true">
        {layers
          .filter(layer => layer.size > all / 200)
          .map((layer, index) => (
            <div key={index} style={{ flexGrow: layer.size }} />
          ))}
      </div>
      <table className="jp-ImageManager-table">
        <tbody>
          {biggest.map((layer, index) => (
            <tr key={index}>
              <td className="jp-ImageManager-cut" title={layer.created_by}>
                <code>{instructionOf(layer) || trans.__('the base')}</code>
              </td>
              <td>{formatSize(layer.size)}</td>
            </tr>
          ))}
          {rest > 0 && (
            <tr>
              <td>{trans.__('all else')}</td>
              <td>{formatSize(rest)}</td>
            </tr>
          )}
        </tbody>
      </table>
    </>
  );
}

/**
 * What made a layer, without what every builder puts around it.
 */
function instructionOf(layer: ILayer): string {
  return layer.created_by
    .replace(/^(RUN )?\/bin\/sh -c (#\(nop\)\s*)?/, '$1')
    .replace(/\s*# buildkit$/, '')
    .trim();
}

function Uses({ model }: { model: ImageModel }): JSX.Element {
  const { manager, trans } = useView();
  const kernels = manager.kernels.filter(
    kernel => kernel.image_id === model.image.id
  );
  const active = manager.image(model.image.id)?.active ?? model.image.active;
  return (
    <ul className="jp-ImageManager-facts">
      <li>
        <span />
        <span>
          {active
            ? trans.__('New kernels of %1 run in it', model.image.project)
            : trans.__('New kernels of %1 run elsewhere', model.image.project)}
        </span>
      </li>
      {kernels.map(kernel => (
        <li key={kernel.kernel_id}>
          <Mark tone="ok" />
          <span>
            {kernel.notebook || trans.__('a kernel without a notebook')}
          </span>
          <span className="jp-ImageManager-sub">{trans.__('runs now')}</span>
        </li>
      ))}
      {!kernels.length && (
        <li>
          <span />
          <span className="jp-ImageManager-sub">
            {trans.__('No kernel runs in it now.')}
          </span>
        </li>
      )}
    </ul>
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
      </span>
    </li>
  );
}
