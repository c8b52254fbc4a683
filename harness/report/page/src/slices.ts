/** What failed in a slice of a run. */
import type { Slice } from './document';

export function failedIn(slice: Slice): number {
  return Object.values(slice.failures ?? {}).reduce((sum, one) => sum + one, 0);
}

export function kindsIn(slice: Slice): string {
  return Object.entries(slice.failures ?? {}).map(([kind, number]) => `${number} ${kind}`).join(', ');
}
