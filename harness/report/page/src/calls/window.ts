/** Which rows of a long list are drawn. */

export interface Rows {
  /** The first row that is drawn, and the one after the last. */
  from: number;
  until: number;
}

/** The rows that can be seen, and some before and after them, so that scrolling shows no gaps. */
export function rowsInView(count: number, rowPx: number, scrolledPx: number, heightPx: number, spare = 8): Rows {
  const from = Math.max(0, Math.min(count, Math.floor(scrolledPx / rowPx)) - spare);
  const until = Math.min(count, Math.ceil((scrolledPx + heightPx) / rowPx) + spare);
  return { from, until: Math.max(from, until) };
}
