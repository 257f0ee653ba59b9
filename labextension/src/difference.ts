import type { IPackageDiff } from './tokens';

/**
 * How many packages two images differ in.
 */
export function sizeOf(diff: IPackageDiff): number {
  return diff.added.length + diff.removed.length + diff.changed.length;
}
