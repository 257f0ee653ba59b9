import * as React from 'react';

/** Pixels above and below what is seen in which rows are drawn too. */
const MARGIN = 400;
/** Up to this many rows all are drawn. */
const ALL = 60;
/** Pixels of a row while none has been measured. */
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
 * Rows differ in height, so each is measured when it has been drawn, and anew when the list changes its width; the others
 * are taken to be as the first ones. A row is found by its `data-id`; the list scrolls with the nearest ancestor that scrolls.
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
  const usual = React.useRef<number | null>(null);
  const width = React.useRef(0);
  const looking = React.useRef<(() => void) | null>(null);
  const [, setMeasured] = React.useState(0);
  const [view, setView] = React.useState({ top: 0, bottom: 1200 });
  const long = ids.length > ALL;
  const height = (index: number) =>
    heights.current.get(ids[index]) ?? usual.current ?? ROW_HEIGHT;

  React.useEffect(() => {
    const node = list.current;
    if (!node || !long) {
      return;
    }
    let scroller: HTMLElement | null = null;
    const look = () => {
      // What scrolls is known only when the page has its styles, which may come after the list.
      const found = scrollerOf(node);
      if (!found) {
        return;
      }
      if (found !== scroller) {
        scroller = found;
        observer.observe(found);
      }
      if (node.clientWidth !== width.current) {
        width.current = node.clientWidth;
        usual.current = null;
        heights.current.clear();
      }
      const offset =
        node.getBoundingClientRect().top - found.getBoundingClientRect().top;
      // In coarse steps, so that not every pixel draws anew.
      const top = Math.floor(-offset / 100) * 100;
      const bottom = top + Math.ceil(found.clientHeight / 100) * 100 + 100;
      setView(old =>
        old.top === top && old.bottom === bottom ? old : { top, bottom }
      );
    };
    const onScroll = (event: Event) => {
      if (event.target instanceof Node && event.target.contains(node)) {
        look();
      }
    };
    const observer = new ResizeObserver(look);
    looking.current = look;
    look();
    document.addEventListener('scroll', onScroll, {
      capture: true,
      passive: true
    });
    return () => {
      document.removeEventListener('scroll', onScroll, { capture: true });
      observer.disconnect();
      looking.current = null;
    };
  }, [long]);

  React.useLayoutEffect(() => {
    if (!long) {
      return;
    }
    let changed = false;
    for (const row of list.current?.querySelectorAll<HTMLElement>(
      '[data-id]'
    ) ?? []) {
      const id = row.dataset.id!;
      const pixels = row.offsetHeight;
      if (pixels && heights.current.get(id) !== pixels) {
        changed ||= pixels !== (usual.current ?? ROW_HEIGHT);
        heights.current.set(id, pixels);
        usual.current ??= pixels;
      }
    }
    if (changed) {
      // The places of rows that are not drawn are others than was thought, and so is what is in view.
      setMeasured(times => times + 1);
      requestAnimationFrame(() => looking.current?.());
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
