/** From the samples of a metric to what is drawn of them. Percentiles are not computed here: they come with the run. */

export interface Bins {
  /** The lower edge of the first bin, and the width of each. */
  from: number;
  width: number;
  /** For each set of values the share of them in each bin, 0 to 1. */
  shares: number[][];
}

/** Counts several sets of sorted values in the same bins, of a round width. */
export function binsOf(sets: readonly (readonly number[])[], about = 40): Bins {
  const lowest = Math.min(...sets.map((values) => values[0] ?? Infinity));
  const highest = Math.max(...sets.map((values) => values.at(-1) ?? -Infinity));
  if (!Number.isFinite(lowest)) return { from: 0, width: 1, shares: sets.map(() => []) };
  const width = roundStep((highest - lowest) / about || Math.max(Math.abs(highest), 1) / 10);
  const from = Math.floor(lowest / width) * width;
  const count = Math.max(1, Math.floor((highest - from) / width + 1e-9) + 1);
  const shares = sets.map((values) => {
    const found = new Array<number>(count).fill(0);
    for (const value of values) {
      const at = Math.min(count - 1, Math.floor((value - from) / width + 1e-9));
      found[at] = (found[at] ?? 0) + 1 / values.length;
    }
    return found;
  });
  return { from, width, shares };
}

/** The next of 1, 2, 2.5 and 5, times a power of ten. */
export function roundStep(step: number): number {
  const size = 10 ** Math.floor(Math.log10(step));
  return size * ([1, 2, 2.5, 5].find((times) => size * times >= step * (1 - 1e-9)) ?? 10);
}

/** The share of sorted values that are at most `value`. */
export function shareUpTo(values: readonly number[], value: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return values.length > 0 ? low / values.length : 0;
}

/**
 * The cumulative shares of several sets of sorted values on one axis: its points, and for each set the share of its
 * values up to each point.
 */
export function cumulative(sets: readonly (readonly number[])[]): [points: number[], ...shares: number[][]] {
  const points = [...new Set(sets.flat())].sort((a, b) => a - b);
  return [points, ...sets.map((values) => points.map((point) => shareUpTo(values, point)))];
}
