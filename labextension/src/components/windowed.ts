import * as React from 'react';

/** Pixels above and below what is seen in which rows are drawn too. */
const MARGIN = 400;
/** Up to this many rows all are drawn. */
const ALL = 60;
/** Pixels of a row that was never drawn. */
const ROW_HEIGHT = 52;

/**
 * What of a long list is to be drawn.
 */
export interface IWindow {
  /** Indices of the rows to draw, ascending. */
  drawn: number[];
  /** Pixels of the rows that are left out between two indices; the second is not part of it. */
  gap: (from: number, to: number) => number;
}

/**
 * Draw only those rows of a long list that are in view, with the one that must not vanish.
 *
 * #### Notes
 * Rows differ in height, so each is measured when it has been drawn. A row is found by its `data-id`; the list scrolls
 * with the nearest ancestor that scrolls.
 *
 * @param list - The element that holds the rows.
 * @param ids - Ids of all rows in order.
 * @param pinned - Id of a row that is drawn wherever it is: it has the focus.
 */
export function useWindow(
  list: React.RefObject<HTMLElement>,
  ids: ReadonlyArray<string>,
  pinned: string | undefined
): IWindow {
  const heights = React.useRef(new Map<string, number>());
  const [view, setView] = React.useState({ top: 0, bottom: 1200 });
  const long = ids.length > ALL;
  const height = (index: number) =>
    heights.current.get(ids[index]) ?? ROW_HEIGHT;

  React.useEffect(() => {
    const node = list.current;
    const scroller = node && long ? scrollerOf(node) : null;
    if (!node || !scroller) {
      return;
    }
    const look = () => {
      const offset =
        node.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
      // In coarse steps, so that not every pixel draws anew.
      const top = Math.floor(-offset / 100) * 100;
      const bottom = top + Math.ceil(scroller.clientHeight / 100) * 100 + 100;
      setView(old =>
        old.top === top && old.bottom === bottom ? old : { top, bottom }
      );
    };
    look();
    scroller.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(scroller);
    return () => {
      scroller.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, [long]);

  React.useLayoutEffect(() => {
    if (long) {
      for (const row of list.current?.querySelectorAll<HTMLElement>(
        '[data-id]'
      ) ?? []) {
        if (row.offsetHeight) {
          heights.current.set(row.dataset.id!, row.offsetHeight);
        }
      }
    }
  });

  const drawn: number[] = [];
  let top = 0;
  for (let index = 0; index < ids.length; index++) {
    const bottom = top + height(index);
    const inView = bottom > view.top - MARGIN && top < view.bottom + MARGIN;
    if (!long || inView || ids[index] === pinned) {
      drawn.push(index);
    }
    top = bottom;
  }
  return {
    drawn,
    gap: (from, to) => {
      let pixels = 0;
      for (let index = from; index < to; index++) {
        pixels += height(index);
      }
      return pixels;
    }
  };
}

function scrollerOf(node: HTMLElement): HTMLElement | null {
  let parent = node.parentElement;
  while (parent && !/auto|scroll/.test(getComputedStyle(parent).overflowY)) {
    parent = parent.parentElement;
  }
  return parent;
}
