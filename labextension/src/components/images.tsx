import * as React from 'react';

import { CommandIDs } from '../commands';
import { arranged } from '../listchoice';
import type { IListChoice, ListChoice } from '../listchoice';
import type { IImage } from '../tokens';
import { useView } from './context';
import { actionsOf } from './facts';
import { ImageRow } from './imagerow';
import type { IRow } from './imagerow';
import { ListTools } from './listtools';
import { ActionButton } from './parts';
import { useWindow } from './windowed';

/**
 * From how many images on it is worth the place to search, narrow and order them.
 */
const TOOLS_FROM = 6;
const EVERYTHING: IListChoice = { filter: 'all', sort: 'newest' };

/**
 * The images of a project: one row a name with its newest version, older ones below it on request.
 *
 * #### Notes
 * One tab stop. Arrows move, Right and Left open and close, Enter shows the image, Space does the row's action, the Menu
 * key or Shift+F10 opens its menu, letters jump to a name.
 */
export function ImageList(props: {
  images: ReadonlyArray<IImage>;
  listChoice: ListChoice;
}): JSX.Element {
  const { listChoice } = props;
  const { trans, manager, run, openMenu } = useView();
  const choice = useChoice(listChoice);
  const withTools = props.images.length >= TOOLS_FROM;
  const [query, setQuery] = React.useState('');
  const [opened, setOpened] = React.useState<ReadonlySet<string>>(new Set());
  const [focused, setFocused] = React.useState<string | null>(null);
  const [focusAsked, setFocusAsked] = React.useState(0);
  const [held, setHeld] = React.useState(false);
  const grid = React.useRef<HTMLDivElement>(null);
  const typed = React.useRef({ text: '', time: 0 });
  const awaited = React.useRef<string | null>(null);

  const images = useHeldOrder(
    arranged(props.images, withTools ? choice : EVERYTHING),
    held,
    choice.sort
  );
  const rows = rowsOf(images, query, opened);
  const stop = rows.some(row => row.image.id === focused)
    ? focused
    : rows[0]?.image.id;

  const { drawn, gap } = useWindow(
    grid,
    rows.map(row => row.image.id),
    stop ?? undefined
  );

  const focusRow = (id: string) => {
    setFocused(id);
    awaited.current = id;
    setFocusAsked(asked => asked + 1);
  };
  React.useLayoutEffect(() => {
    // The row may have been out of view and is drawn only now.
    if (awaited.current !== null) {
      grid.current
        ?.querySelector<HTMLElement>(
          `[data-id="${CSS.escape(awaited.current)}"]`
        )
        ?.focus();
      awaited.current = null;
    }
  }, [focusAsked]);
  const toggle = (name: string, open?: boolean) => {
    setOpened(previous => {
      const next = new Set(previous);
      if (open ?? !next.has(name)) {
        next.add(name);
      } else {
        next.delete(name);
      }
      return next;
    });
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    const index = rows.findIndex(row => row.image.id === stop);
    const row = rows[index];
    const target = event.target as HTMLElement;
    if (!row || target.closest('[role=row]') === null) {
      return;
    }
    const { action, menu } = actionsOf(row.image, trans);
    const onButton = target.tagName === 'BUTTON';
    const element = target.closest<HTMLElement>('[role=row]')!;
    let handled = true;
    switch (event.key) {
      case 'ArrowDown':
        focusRow(rows[Math.min(index + 1, rows.length - 1)].image.id);
        break;
      case 'ArrowUp':
        focusRow(rows[Math.max(index - 1, 0)].image.id);
        break;
      case 'Home':
        focusRow(rows[0].image.id);
        break;
      case 'End':
        focusRow(rows[rows.length - 1].image.id);
        break;
      case 'ArrowRight':
        if (row.versions > 1 && !row.open) {
          toggle(row.image.name, true);
        } else if (
          index + 1 < rows.length &&
          rows[index + 1].level > row.level
        ) {
          focusRow(rows[index + 1].image.id);
        }
        break;
      case 'ArrowLeft':
        if (row.versions > 1 && row.open) {
          toggle(row.image.name, false);
        } else if (row.level === 2) {
          focusRow(
            rows.find(
              each => each.level === 1 && each.image.name === row.image.name
            )!.image.id
          );
        }
        break;
      case 'Enter':
        if (onButton) {
          handled = false;
        } else {
          run(CommandIDs.openImage, { image_id: row.image.id });
        }
        break;
      case ' ':
        if (onButton) {
          handled = false;
        } else if (action) {
          run(action.command, action.args);
        }
        break;
      case 'ContextMenu':
        openMenu(menu, element);
        break;
      case 'F10':
        if (event.shiftKey) {
          openMenu(menu, element);
        } else {
          handled = false;
        }
        break;
      case 'Escape':
        if (onButton) {
          element.focus();
        } else {
          handled = false;
        }
        break;
      default:
        handled = false;
        if (
          event.key.length === 1 &&
          !event.ctrlKey &&
          !event.metaKey &&
          !event.altKey
        ) {
          handled = true;
          const now = event.timeStamp;
          const text =
            now - typed.current.time < 800
              ? typed.current.text + event.key
              : event.key;
          typed.current = { text, time: now };
          const start = text.length > 1 ? index : index + 1;
          const order = [...rows.slice(start), ...rows.slice(0, start)];
          const hit = order.find(each =>
            each.image.spec.toLowerCase().startsWith(text.toLowerCase())
          );
          if (hit) {
            focusRow(hit.image.id);
          }
        }
    }
    if (handled) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  return (
    <>
      {withTools && (
        <ListTools
          images={props.images}
          query={query}
          choice={choice}
          onQuery={setQuery}
          onChoice={changes => listChoice.set(changes)}
          onDown={() => rows.length && focusRow(rows[0].image.id)}
        />
      )}
      <div
        ref={grid}
        role="treegrid"
        aria-label={trans.__('Images of this project')}
        aria-rowcount={rows.length}
        onKeyDown={onKeyDown}
        onMouseEnter={() => setHeld(true)}
        onMouseLeave={() =>
          setHeld(grid.current?.contains(document.activeElement) ?? false)
        }
        onFocus={() => setHeld(true)}
        onBlur={event =>
          setHeld(grid.current?.contains(event.relatedTarget) ?? false)
        }
      >
        {drawn.map((index, place) => {
          const row = rows[index];
          const before = gap(place ? drawn[place - 1] + 1 : 0, index);
          return (
            <React.Fragment key={row.image.id}>
              {before > 0 && <Gap pixels={before} />}
              <ImageRow
                row={row}
                index={index}
                isStop={row.image.id === stop}
                build={manager.lastBuild(row.image)}
                onFocus={() => setFocused(row.image.id)}
                onToggle={() => toggle(row.image.name)}
              />
            </React.Fragment>
          );
        })}
        <Gap pixels={gap((drawn[drawn.length - 1] ?? -1) + 1, rows.length)} />
      </div>
      {!rows.length && (
        <p className="jp-ImageManager-note" role="status">
          {query
            ? trans.__('No image that is shown is called “%1”.', query)
            : trans.__('No image is in this state.')}{' '}
          <ActionButton
            kind="link"
            onClick={() => {
              setQuery('');
              listChoice.set({ filter: 'all' });
            }}
          >
            {trans.__('Show all')}
          </ActionButton>
        </p>
      )}
    </>
  );
}

/**
 * The place of rows that are not drawn.
 */
function Gap({ pixels }: { pixels: number }): JSX.Element {
  return <div aria-hidden="true" style={{ height: pixels }} />;
}

/**
 * The rows to show: groups by name in the order of the images.
 */
export function rowsOf(
  images: ReadonlyArray<IImage>,
  query: string,
  opened: ReadonlySet<string>
): IRow[] {
  const wanted = query.trim().toLowerCase();
  const groups = new Map<string, IImage[]>();
  for (const image of images) {
    if (wanted && !image.spec.toLowerCase().includes(wanted)) {
      continue;
    }
    const group = groups.get(image.name);
    if (group) {
      group.push(image);
    } else {
      groups.set(image.name, [image]);
    }
  }
  const rows: IRow[] = [];
  for (const [name, group] of groups) {
    group.sort((a, b) => b.version - a.version);
    const open = opened.has(name);
    rows.push({ image: group[0], level: 1, versions: group.length, open });
    if (open) {
      for (const image of group.slice(1)) {
        rows.push({ image, level: 2, versions: 1, open: false });
      }
    }
  }
  return rows;
}

/**
 * How the person wants to see the list.
 */
function useChoice(choice: ListChoice): IListChoice {
  const [value, setValue] = React.useState(choice.value);
  React.useEffect(() => {
    const look = () => setValue(choice.value);
    look();
    choice.changed.connect(look);
    return () => {
      choice.changed.disconnect(look);
    };
  }, [choice]);
  return value;
}

/**
 * Keep the order of a list while a person is in it; what is new comes last until they leave, or want another order.
 */
function useHeldOrder(
  images: ReadonlyArray<IImage>,
  held: boolean,
  sort: string
): ReadonlyArray<IImage> {
  const order = React.useRef<string[]>([]);
  const sorted = React.useRef(sort);
  if (!held || sorted.current !== sort) {
    order.current = images.map(image => image.id);
    sorted.current = sort;
    return images;
  }
  const place = new Map(order.current.map((id, index) => [id, index]));
  return [...images].sort(
    (a, b) => (place.get(a.id) ?? Infinity) - (place.get(b.id) ?? Infinity) || 0
  );
}
