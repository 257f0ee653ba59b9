/**
 * Ids of builds that a notebook waits for: it says itself how they end.
 */
export const attended = new Set<string>();
