import {
  caretDownIcon,
  caretRightIcon,
  ellipsesIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { IBuild, IImage } from '../tokens';
import { keptWord } from '../storage';
import { useView } from './context';
import { actionsOf, factOf, stateOf, toneOf } from './facts';
import { ActionButton, Chip, Facts, ImageName, Mark } from './parts';

/**
 * A row of the list: an image, with the number of its name's versions where it stands for them.
 */
export interface IRow {
  image: IImage;
  level: 1 | 2;
  /** How many versions the group has, on its first row. */
  versions: number;
  open: boolean;
}

/**
 * An image in the list.
 */
export function ImageRow(props: {
  row: IRow;
  index: number;
  isStop: boolean;
  build: IBuild | undefined;
  onFocus: () => void;
  onToggle: () => void;
}): JSX.Element {
  const { trans, run, openMenu } = useView();
  const { image, level, versions, open } = props.row;
  const { action, menu } = actionsOf(image, trans);
  const state = stateOf(image, props.build, trans);
  const fact = factOf(image, props.build, trans);
  const kept = keptWord(image, trans);
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <div
      role="row"
      className="jp-ImageManager-row"
      data-id={image.id}
      data-level={level}
      data-state={image.state}
      aria-level={level}
      aria-rowindex={props.index + 1}
      aria-expanded={versions > 1 ? open : undefined}
      tabIndex={props.isStop ? 0 : -1}
      onFocus={props.onFocus}
      onDoubleClick={() => run(CommandIDs.openImage, { image_id: image.id })}
      onContextMenu={event => {
        event.preventDefault();
        event.stopPropagation();
        openMenu(menu, event.currentTarget);
      }}
    >
      <div role="gridcell" className="jp-ImageManager-rowTitle">
        <Mark tone={toneOf(image)} />
        <ImageName name={image.name} version={image.version} />
        {image.active && <Chip tone="ok">{trans.__('Active')}</Chip>}
      </div>
      <div role="gridcell" className="jp-ImageManager-rowActions">
        {action && (
          <ActionButton
            tabIndex={-1}
            label={trans.__('%1 %2', action.label, image.spec)}
            onClick={() => run(action.command, action.args)}
          >
            {action.label}
          </ActionButton>
        )}
        <button
          type="button"
          tabIndex={-1}
          className="jp-ImageManager-more"
          title={trans.__('More')}
          aria-label={trans.__('More about %1', image.spec)}
          aria-haspopup="menu"
          onClick={event => openMenu(menu, event.currentTarget)}
        >
          <ellipsesIcon.react tag="span" width="16px" height="16px" />
        </button>
      </div>
      <div role="gridcell" className="jp-ImageManager-rowFacts">
        <div
          className="jp-ImageManager-sub jp-ImageManager-fact"
          title={fact}
          dir="auto"
        >
          {state && (
            <span className="jp-ImageManager-state" data-tone={toneOf(image)}>
              {state}
            </span>
          )}
          {state && ' · '}
          {kept && <span className="jp-ImageManager-state">{kept} · </span>}
          <Facts text={fact} />
        </div>
        {versions > 1 && (
          <button
            type="button"
            tabIndex={-1}
            className="jp-ImageManager-versions"
            aria-label={
              open
                ? trans.__('Hide the older versions of %1', image.name)
                : trans.__('Show all %1 versions of %2', versions, image.name)
            }
            onClick={props.onToggle}
          >
            <Caret.react tag="span" width="16px" height="16px" />
            {trans._n('%1 older version', '%1 older versions', versions - 1)}
          </button>
        )}
      </div>
    </div>
  );
}
