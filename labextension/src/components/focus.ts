import * as React from 'react';

/**
 * Keep the focus in a part of the page when what had it vanishes: a button whose work is done, say.
 *
 * @returns A reference for the element that takes the focus then; it must be focusable.
 */
export function useKeptFocus(): React.RefObject<HTMLDivElement> {
  const place = React.useRef<HTMLDivElement>(null);
  const last = React.useRef<Element | null>(null);
  React.useEffect(() => {
    const node = place.current!;
    const remember = (event: FocusEvent) => {
      last.current = event.target as Element;
    };
    const forget = (event: FocusEvent) => {
      // What vanishes loses the focus to nothing; what was left loses it to something else.
      if (event.relatedTarget) {
        last.current = null;
      }
    };
    node.addEventListener('focusin', remember);
    node.addEventListener('focusout', forget);
    return () => {
      node.removeEventListener('focusin', remember);
      node.removeEventListener('focusout', forget);
    };
  }, []);
  React.useLayoutEffect(() => {
    if (
      last.current &&
      !last.current.isConnected &&
      document.activeElement === document.body
    ) {
      last.current = null;
      place.current?.focus();
    }
  });
  return place;
}
