import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { messageOf } from '../request';
import type { IMigration, IMigrationItem, StorageAPI } from '../storageapi';
import type { IImage } from '../tokens';
import { DiffTable } from './difftable';
import { ActionButton } from './parts';
import { Doing } from './storagedialog';
import type { IGoing } from './going';
import type { IDoing } from './storagedialog';

/** Differences that are shown before one asks for all. */
const FIRST = 8;

/**
 * How far the migration of one image is.
 */
export function migrationGoing(
  migration: IMigration,
  trans: TranslationBundle
): IGoing {
  const item = migration.items[0];
  const done = migration.state !== 'running';
  return {
    share: null,
    text: item ? itemWord(item, trans) : '',
    done,
    problem:
      done && item?.state !== 'done'
        ? item?.reason || (item ? itemWord(item, trans) : migration.state)
        : ''
  };
}

function itemWord(item: IMigrationItem, trans: TranslationBundle): string {
  switch (item.state) {
    case 'waiting':
      return trans.__('It waits for its turn.');
    case 'building':
      return trans.__('The new version is built.');
    case 'testing':
      return trans.__('The notebook is run in the new version.');
    case 'done':
      return trans.__('Done.');
    case 'failed':
      return trans.__('It failed.');
    case 'cancelled':
      return trans.__('It was cancelled.');
    case 'skipped':
      return trans.__('It needs no migration.');
    case 'impossible':
      return trans.__('It cannot be built again.');
  }
}

/**
 * The migration of one image: what it would do, its progress, what differs, and the way back.
 */
export function Migrating(props: {
  image: IImage;
  plan: IMigrationItem | null;
  api: StorageAPI;
  trans: TranslationBundle;
  onChanged: () => void;
}): JSX.Element {
  const { image, plan, api, trans } = props;
  const [migration, setMigration] = React.useState<IMigration | null>(null);
  if (!plan || plan.state === 'impossible' || plan.state === 'skipped') {
    return <p>{plan?.reason || trans.__('It needs no migration.')}</p>;
  }
  const item = migration?.items[0];
  if (migration && item?.state === 'done') {
    return (
      <Migrated
        migration={migration}
        item={item}
        api={api}
        trans={trans}
        onChanged={props.onChanged}
      />
    );
  }
  let id = '';
  const doing: IDoing = {
    label: trans.__('Migrate %1', image.spec),
    done: trans.__('Done.'),
    run: async () => {
      id = (await api.migrate(image.id)).id;
      return async () => {
        const now = await api.migration(id);
        if (now.state === 'done') {
          setMigration(now);
        }
        return migrationGoing(now, trans);
      };
    },
    cancel: () => api.cancelMigration(id)
  };
  return (
    <Doing doing={doing} final={false} trans={trans} onDone={props.onChanged}>
      <p>
        {trans.__(
          'A new version is built from its recipe, and becomes active wherever this one is. Nothing is deleted: you can go back.'
        )}
      </p>
      {plan.bases.length > 0 && (
        <ul className="jp-ImageManager-plainList">
          {plan.bases.map(([old, now]) => (
            <li key={old}>{trans.__('%1 gives way to %2', old, now)}</li>
          ))}
        </ul>
      )}
      {plan.warnings.map(warning => (
        <div key={warning} className="jp-ImageManager-banner" data-tone="warn">
          {warning}
        </div>
      ))}
    </Doing>
  );
}

function Migrated(props: {
  migration: IMigration;
  item: IMigrationItem;
  api: StorageAPI;
  trans: TranslationBundle;
  onChanged: () => void;
}): JSX.Element {
  const { item, trans } = props;
  const [undone, setUndone] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const undo = async () => {
    try {
      await props.api.undoMigration(props.migration.id);
      setUndone(true);
      setProblem('');
      props.onChanged();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <div>
      <p role="status">
        {undone
          ? trans.__('%1 is active again.', item.spec)
          : item.activated.length
            ? trans.__('%1 is built, and active now.', item.new_spec)
            : trans.__('%1 is built; it was active nowhere.', item.new_spec)}
      </p>
      {item.diff && (
        <DiffTable diff={item.diff as never} trans={trans} most={FIRST} />
      )}
      {problem && (
        <div className="jp-ImageManager-banner" data-tone="error" role="alert">
          {problem}
        </div>
      )}
      {item.activated.length > 0 && !undone && (
        <ActionButton onClick={() => void undo()}>
          {trans.__('Back to %1', item.spec)}
        </ActionButton>
      )}
    </div>
  );
}
