/** From the points of an observed series to what is drawn of them. */

import { plain } from '../numbers';

/** The colours of the series of a query. */
export const COLOURS = ['accent', 'agent', 'other', 'ok', 'bad', 'warn', 'ink', 'soft'] as const;

/** A value on an axis, in few characters: `2.5`, `6e9`. */
export function onAxis(value: number): string {
  return Math.abs(value) < 1e6 ? plain(value) : value.toExponential().replace('e+', 'e');
}

/** The times and values of a series, with a gap where a point is missing: nothing is drawn where nothing is known. */
export function withGaps(points: readonly [number, number | null][], stepS: number): [number[], (number | null)[]] {
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const [at, value] of points) {
    const last = times.at(-1);
    if (last !== undefined && at - last > 1.5 * stepS) {
      times.push(last + stepS);
      values.push(null);
    }
    times.push(at);
    values.push(value);
  }
  return [times, values];
}
