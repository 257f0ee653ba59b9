import * as React from 'react';

import { formatSize } from '../format';
import type { ImageModel } from '../imagemodel';
import { useAsked } from './asked';
import { useView } from './context';
import { LayerBar, sharedOf } from './layers';
import { StorageFacts } from './storagefacts';
import { Freed, Users } from './usagetab';
import { Verdict } from './verdict';
import { Versions } from './versions';

/** Notebooks that are named; the tab of its use names all. */
const NOTEBOOKS = 4;

/**
 * Is it good, how big and why, who uses it, what other versions there are.
 */
export function Overview({ model }: { model: ImageModel }): JSX.Element {
  const { manager } = useView();
  const { image } = model;
  const deletion = useAsked(() => manager.api.deletion(image.id), [image]);
  return (
    <div className="jp-ImageManager-overview">
      <div>
        <Warnings model={model} />
        <Verdict model={model} />
        <StorageFacts image={image} />
        <Size model={model} />
        <Freed {...deletion} />
        <Users model={model} preview={deletion.value} most={NOTEBOOKS} />
      </div>
      <div>
        <Versions model={model} />
      </div>
    </div>
  );
}

/** What is not said by a row of the check. */
function Warnings({ model }: { model: ImageModel }): JSX.Element {
  const { image } = model;
  const said = new Set(
    image.report?.items.flatMap(item => [item.message, item.title])
  );
  return (
    <>
      {image.warnings
        .filter(warning => !said.has(warning))
        .map(warning => (
          <div
            key={warning}
            className="jp-ImageManager-banner"
            data-tone="warn"
          >
            {warning}
          </div>
        ))}
    </>
  );
}

function Size({ model }: { model: ImageModel }): JSX.Element {
  const { manager, trans } = useView();
  const { image } = model;
  const { value: layers } = useAsked(
    () => manager.api.layers(image.id),
    [image]
  );
  const shared = sharedOf(layers ?? []);
  return (
    <section>
      <h2>
        {!image.size
          ? trans.__('Size')
          : shared.images
            ? trans._n(
                'Size %2, of which %3 are shared with %1 other image',
                'Size %2, of which %3 are shared with %1 other images',
                shared.images,
                formatSize(image.size),
                formatSize(shared.bytes)
              )
            : trans.__('Size %1', formatSize(image.size))}
      </h2>
      <div className="jp-ImageManager-layerPlace">
        {layers && <LayerBar key={image.id} layers={layers} />}
      </div>
    </section>
  );
}
