import * as React from 'react';

import { CommandIDs } from '../commands';
import { formatSize, language } from '../format';
import { placeOf, registrySays, storageMenu } from '../storage';
import type { IImage } from '../tokens';
import { useView } from './context';
import { ActionButton } from './parts';

/**
 * Where an image is kept, what its registry last said and what that means, and what can be done about it.
 */
export function StorageFacts({ image }: { image: IImage }): JSX.Element {
  const { manager, trans, run } = useView();
  // What the panel knows is newer than what a page has asked for.
  const now = manager.image(image.id) ?? image;
  const says = registrySays(now, trans);
  const words: Record<string, string> = {
    [CommandIDs.optimizeImage]: trans.__('Optimize…'),
    [CommandIDs.unoptimizeImage]: trans.__('Give up the copy…'),
    [CommandIDs.deleteOriginal]: trans.__('Delete in the registry…'),
    [CommandIDs.pushImage]: trans.__('Push…'),
    [CommandIDs.migrateImage]: trans.__('Migrate…')
  };
  return (
    <>
      {now.retirement && (
        <div
          className="jp-ImageManager-banner"
          data-tone={now.retirement.stopped ? 'error' : 'warn'}
          role="note"
        >
          {now.retirement.message}
        </div>
      )}
      <section
        className="jp-ImageManager-storage"
        aria-label={trans.__('Where it is kept')}
      >
        <h2>{trans.__('Where it is kept')}</h2>
        <p>{placeOf(now, trans)}</p>
        {now.repository && (
          <p className="jp-ImageManager-sub">
            <code>{now.repository}</code>
            {now.registry_size > 0 &&
              ` · ${trans.__('%1 there, compressed', formatSize(now.registry_size))}`}
          </p>
        )}
        {says && (
          <p>
            {says}{' '}
            {now.registry_checked && (
              <span className="jp-ImageManager-sub">
                {trans.__(
                  'Last looked up: %1',
                  new Date(now.registry_checked).toLocaleString(language())
                )}
              </span>
            )}
          </p>
        )}
        <div className="jp-ImageManager-buttons">
          {storageMenu(now).map(({ command, args }) => (
            <ActionButton key={command} onClick={() => run(command, args)}>
              {words[command]}
            </ActionButton>
          ))}
        </div>
      </section>
    </>
  );
}
