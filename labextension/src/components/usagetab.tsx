import * as React from 'react';

import { CommandIDs } from '../commands';
import {
  elapsed,
  formatClock,
  formatDate,
  formatSize,
  isDone,
  stateWord
} from '../format';
import type { ISharedLayer, ImageModel } from '../imagemodel';
import type { IBuild, IDeletionPreview } from '../tokens';
import { useAsked } from './asked';
import type { IAsked } from './asked';
import { useView } from './context';
import { instructionOf, sharedOf, sharers } from './layers';
import { ActionButton, Mark } from './parts';

/**
 * What an image takes, with whom it shares that, who uses it, and how it came to be.
 */
export function UsageTab({ model }: { model: ImageModel }): JSX.Element {
  const { manager, trans } = useView();
  const { image } = model;
  const { value: layers, problem } = useAsked(
    () => manager.api.layers(image.id),
    [image]
  );
  const deletion = useAsked(() => manager.api.deletion(image.id), [image]);
  const shared = sharedOf(layers ?? []);
  const rows: [string, React.ReactNode][] = [
    [trans.__('On the disk'), formatSize(image.size)],
    [
      trans.__('Shared with other images of the project'),
      !layers
        ? '…'
        : shared.images
          ? trans._n(
              '%2, with %1 image',
              '%2, with %1 images',
              shared.images,
              formatSize(shared.bytes)
            )
          : trans.__('nothing')
    ]
  ];
  return (
    <div className="jp-ImageManager-usageTab">
      <section>
        <h2>{trans.__('What it takes')}</h2>
        <table className="jp-ImageManager-table">
          <tbody>
            {rows.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <Freed {...deletion} />
      </section>
      <Users model={model} preview={deletion.value} />
      <Builds model={model} />
      {problem ? (
        <div className="jp-ImageManager-banner" data-tone="error" role="alert">
          {problem}
        </div>
      ) : (
        layers && <Layers layers={layers} />
      )}
    </div>
  );
}

/**
 * What a deletion would free, or why there can be none.
 */
export function Freed(props: IAsked<IDeletionPreview>): JSX.Element {
  const { trans } = useView();
  const { value: preview, problem } = props;
  return (
    <p className="jp-ImageManager-sub" role="status">
      {problem ||
        (!preview
          ? trans.__('Asking the engine what its deletion would free…')
          : preview.frees
            ? trans.__('Deleting it would free %1.', formatSize(preview.frees))
            : trans.__('Deleting it would free nothing.'))}
      {preview?.reason && ` ${preview.reason}`}
    </p>
  );
}

/**
 * The project, kernels and notebooks that use an image.
 */
export function Users(props: {
  model: ImageModel;
  /** Null while it is not known. */
  preview: IDeletionPreview | null;
  /** Notebooks that are named before one asks for all; all when left out. */
  most?: number;
}): JSX.Element {
  const { manager, trans } = useView();
  const { model, preview, most } = props;
  const { image } = model;
  const [all, setAll] = React.useState(most === undefined);
  const notebooks = preview?.notebooks ?? [];
  const named = all ? notebooks : notebooks.slice(0, most);
  const kernels = manager.kernels.filter(each => each.image_id === image.id);
  const active = manager.image(image.id)?.active ?? image.active;
  return (
    <section>
      <h2>{trans.__('Who uses it')}</h2>
      <ul className="jp-ImageManager-facts">
        {active && (
          <li>
            <Mark tone="ok" />
            <span>{image.project}</span>
            <span className="jp-ImageManager-sub">
              {trans.__('new kernels run in it')}
            </span>
          </li>
        )}
        {kernels.map(kernel => (
          <li key={kernel.kernel_id}>
            <Mark tone="ok" />
            <span>
              {kernel.notebook || trans.__('a kernel without a notebook')}
            </span>
            <span className="jp-ImageManager-sub">{trans.__('runs now')}</span>
          </li>
        ))}
        {named.map(notebook => (
          <li key={notebook}>
            <Mark tone="none" />
            <span>{notebook}</span>
            <span className="jp-ImageManager-sub">
              {trans.__('last ran in it')}
            </span>
          </li>
        ))}
        {named.length < notebooks.length && (
          <li>
            <span />
            <ActionButton kind="link" onClick={() => setAll(true)}>
              {trans.__('and %1 more', notebooks.length - named.length)}
            </ActionButton>
          </li>
        )}
        {all && preview && !preview.notebooks_complete && (
          <li>
            <span />
            <span className="jp-ImageManager-sub">
              {trans.__('There may be more notebooks that last ran in it.')}
            </span>
          </li>
        )}
        {preview && !active && !kernels.length && !notebooks.length && (
          <li>
            <span />
            <span className="jp-ImageManager-sub">
              {trans.__('Nobody: no project, no kernel, no notebook.')}
            </span>
          </li>
        )}
      </ul>
    </section>
  );
}

function Builds({ model }: { model: ImageModel }): JSX.Element | null {
  const { manager, trans, run } = useView();
  const { image } = model;
  const { value: all } = useAsked(
    () => manager.api.builds(image.project_id),
    [image]
  );
  const builds = all?.filter(each => each.image_id === image.id) ?? [];
  if (!builds.length) {
    return null;
  }
  const word = (build: IBuild) =>
    build.kind === 'check' ? trans.__('Check') : trans.__('Build');
  return (
    <section>
      <h2>{trans.__('How it came to be')}</h2>
      <table className="jp-ImageManager-table jp-ImageManager-builds">
        <thead>
          <tr>
            <th scope="col">{trans.__('What')}</th>
            <th scope="col">{trans.__('When, by whom')}</th>
            <th scope="col">{trans.__('Took')}</th>
          </tr>
        </thead>
        <tbody>
          {builds.map(build => (
            <tr key={build.id}>
              <td>
                <ActionButton
                  kind="link"
                  onClick={() =>
                    run(CommandIDs.openLog, { build_id: build.id })
                  }
                >
                  {word(build)}
                </ActionButton>{' '}
                {stateWord(build.state, trans).toLowerCase()}
              </td>
              <td>
                {formatDate(build.created)}, {build.requested_by}
              </td>
              <td>{isDone(build) ? formatClock(elapsed(build)) : '…'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Layers(props: {
  layers: ReadonlyArray<ISharedLayer>;
}): JSX.Element | null {
  const { trans } = useView();
  const layers = props.layers.filter(layer => layer.size > 0);
  if (!layers.length) {
    return null;
  }
  return (
    <section>
      <h2>{trans.__('Layers, from the base up')}</h2>
      <table className="jp-ImageManager-table jp-ImageManager-layerTable">
        <thead>
          <tr>
            <th scope="col">{trans.__('Instruction')}</th>
            <th scope="col">{trans.__('Who has it')}</th>
            <th scope="col">{trans.__('Size')}</th>
          </tr>
        </thead>
        <tbody>
          {layers.map((layer, index) => (
            <tr key={index}>
              <td className="jp-ImageManager-cut" title={instructionOf(layer)}>
                <code>{instructionOf(layer) || trans.__('the base')}</code>
              </td>
              <td>{sharers(layer.shared_with, trans)}</td>
              <td>{formatSize(layer.size)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
