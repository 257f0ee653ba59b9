import * as React from 'react';

import { messageOf } from '../request';

/**
 * What the server was asked: the answer, or why there is none; neither while it is waited for.
 */
export interface IAsked<T> {
  value: T | null;
  /** Empty where there is none. */
  problem: string;
}

/**
 * Ask when a view is shown, and again when what it is about changes; what comes too late is dropped.
 */
export function useAsked<T>(
  ask: () => Promise<T>,
  about: React.DependencyList
): IAsked<T> {
  const [asked, setAsked] = React.useState<IAsked<T>>(NOTHING);
  React.useEffect(() => {
    let current = true;
    setAsked(NOTHING);
    ask().then(
      value => current && setAsked({ value, problem: '' }),
      reason => current && setAsked({ value: null, problem: messageOf(reason) })
    );
    return () => {
      current = false;
    };
  }, about);
  return asked;
}

const NOTHING = { value: null, problem: '' };
