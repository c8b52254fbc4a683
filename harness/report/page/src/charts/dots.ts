/** Dots of a chart, one for each turn. */

const NEAR_PX = 12;

/** uPlot has one value for each point of an axis: dots at the same time are moved apart by a microsecond. */
export function onePerPoint(at: readonly number[], ms: readonly number[]) {
  let last = -Infinity;
  const moved = at.map((point) => (last = point > last ? point : last + 1e-6));
  return { at: moved, ms: [...ms] };
}

/** The index of the dot that is nearest to a point of the drawing; -1 if none is near. */
export function nearestDot(
  at: readonly number[], ms: readonly number[], x: number, y: number, place: (at: number, ms: number) => [number, number],
): number {
  let [found, least] = [-1, NEAR_PX ** 2];
  at.forEach((point, index) => {
    const [dotX, dotY] = place(point, ms[index] ?? 0);
    const distance = (dotX - x) ** 2 + (dotY - y) ** 2;
    if (distance < least) [found, least] = [index, distance];
  });
  return found;
}
