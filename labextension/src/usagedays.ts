import type { IUsageDay } from './storageapi';

/**
 * What all projects held in all storages together, day by day.
 */
export function dayTotals(
  days: ReadonlyArray<IUsageDay>
): { day: string; bytes: number }[] {
  const totals = new Map<string, number>();
  for (const { day, bytes } of days) {
    totals.set(day, (totals.get(day) ?? 0) + bytes);
  }
  return [...totals]
    .map(([day, bytes]) => ({ day, bytes }))
    .sort((a, b) => a.day.localeCompare(b.day));
}
