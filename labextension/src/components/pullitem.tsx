import * as React from 'react';

import { StorageAPI } from '../storageapi';
import type { IPull } from '../storageapi';
import { useView } from './context';
import { goingOf } from './going';
import { ActionButton, ImageName, Mark, ProgressBar } from './parts';

/**
 * An image on its way from the registry: how far, and how to end it.
 */
export function PullItem({ pull }: { pull: IPull }): JSX.Element {
  const { manager, trans } = useView();
  const image = manager.image(pull.image_id);
  const name = image?.spec ?? trans.__('an image');
  const going = goingOf(pull, trans);
  const cancel = async () => {
    await new StorageAPI(manager.api).cancelPull(pull.id);
    await manager.refresh();
  };
  return (
    <div
      className="jp-ImageManager-build"
      role="group"
      aria-label={trans.__('Pull of %1', name)}
    >
      <div className="jp-ImageManager-rowTitle">
        <Mark tone="busy" />
        {image ? (
          <ImageName name={image.name} version={image.version} />
        ) : (
          <span className="jp-ImageManager-name">{name}</span>
        )}
      </div>
      <ProgressBar
        value={going.share}
        label={trans.__('Progress of %1', name)}
      />
      <div className="jp-ImageManager-sub" role="status">
        {going.text}
      </div>
      <div className="jp-ImageManager-buttons">
        <ActionButton
          label={trans.__('Cancel the pull of %1', name)}
          disabled={pull.cancel_requested}
          onClick={() => void cancel().catch(() => manager.refresh())}
        >
          {trans.__('Cancel')}
        </ActionButton>
      </div>
    </div>
  );
}
