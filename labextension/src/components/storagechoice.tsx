import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IStorageChoices, Storage } from '../recipe';
import { formatSize } from '../format';
import type { IUsage } from '../tokens';

/**
 * Where the image will be kept, and what that means in time and room.
 *
 * #### Notes
 * Nothing is shown while the server has not said what can be chosen; its default holds then.
 */
export function StorageChoice(props: {
  /** Prefix of the ids of elements. */
  ids: string;
  trans: TranslationBundle;
  /** What the person chose; null: the default. */
  value: Storage | null;
  usage: IUsage | null;
  /** Ask what can be chosen. */
  ask: () => Promise<IStorageChoices>;
  onChange: (storage: Storage) => void;
}): JSX.Element | null {
  const { ids, trans, usage } = props;
  const [known, setKnown] = React.useState<IStorageChoices | null>(null);
  React.useEffect(() => {
    let wanted = true;
    props.ask().then(
      found => {
        if (wanted) {
          setKnown(found);
        }
      },
      () => undefined // the build says why, should the server still not answer then
    );
    return () => {
      wanted = false;
    };
  }, []);
  if (!known) {
    return null;
  }
  const possible = known.choices.filter(choice => choice.available);
  const chosen = possible.some(choice => choice.storage === props.value)
    ? props.value
    : known.default;
  const titles: Record<Storage, string> = {
    registry: trans.__('In the registry'),
    local: trans.__('On this machine')
  };
  const notes: Record<Storage, string> = {
    registry: trans.__(
      'Costs little room here. The first start after a pause waits until it is pulled. Deleting it here loses nothing.'
    ),
    local:
      usage !== null && usage.max_bytes !== null
        ? trans.__(
            'Starts at once. Counts toward your %1 here, of which %2 are taken. Deleting it is final.',
            formatSize(usage.max_bytes),
            formatSize(usage.bytes)
          )
        : trans.__(
            'Starts at once. Takes room on this machine as long as it is kept. Deleting it is final.'
          )
  };
  return (
    <fieldset className="jp-ImageManager-field">
      <legend>{trans.__('Keep it')}</legend>
      <div className="jp-ImageManager-cards">
        {known.choices.map(({ storage, available, reason }) => (
          <label
            key={storage}
            data-checked={storage === chosen || undefined}
            data-disabled={!available || undefined}
          >
            <input
              type="radio"
              name={`${ids}-storage`}
              value={storage}
              checked={storage === chosen}
              disabled={!available}
              aria-describedby={`${ids}-${storage}`}
              onChange={() => props.onChange(storage)}
            />
            <span>
              <b>{titles[storage]}</b>
              <span id={`${ids}-${storage}`} className="jp-ImageManager-sub">
                {available ? notes[storage] : reason}
              </span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
