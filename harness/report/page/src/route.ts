/** What the page shows, as told by the fragment of its address: `#call=0001-smoke&t=12.3`. */

export interface Route {
  /** The id of the call that is shown; null for the overview. */
  call: string | null;
  /** The position in the call, in seconds. */
  t: number | null;
}

export function routeOf(hash: string): Route {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const call = fields.get('call');
  const t = Number.parseFloat(fields.get('t') ?? '');
  return { call, t: call !== null && Number.isFinite(t) ? t : null };
}

export function linkTo(call: string, t: number | null = null): string {
  const moment = t === null ? '' : `&t=${Math.max(0, Math.round(t * 100) / 100)}`;
  return `#call=${encodeURIComponent(call)}${moment}`;
}
