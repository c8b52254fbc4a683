/** What the curve of a capacity search says. */
import type { CurvePoint } from '../document';

/** Whether most holds with this many calls missed an objective. */
export function isMissed(point: CurvePoint): boolean {
  return point.met * 2 < point.holds - point.unfit;
}
