/** Where the time line's items are: lanes from top to bottom, times from left to right. Lengths are CSS pixels. */
import type { Item, Lane, Timeline } from './timeline';

export interface Band {
  lane: Lane;
  name: string;
  top: number;
  height: number;
}

export const RULER_PX = 22;
export const MOST_PX_PER_S = 2000;
const GAP_PX = 6;
const BANDS: [Lane, string, number, 'always' | 'used'][] = [
  ['turns', 'turns', 16, 'always'],
  ['caller', 'caller', 54, 'always'],
  ['delays', 'TTFA', 24, 'always'],
  ['agent', 'agent', 54, 'always'],
  ['stops', 'stops', 22, 'used'],
  ['texts', 'texts', 16, 'used'],
  ['tools', 'tools', 16, 'used'],
  ['own', 'harness', 10, 'used'],
];

/** The lanes that are shown, and the height of all. */
export function bandsOf(items: readonly Item[]): { bands: Band[]; height: number } {
  const used = new Set(items.map((item) => item.lane));
  let top = RULER_PX + 2;
  const bands: Band[] = [];
  for (const [lane, name, height, when] of BANDS) {
    if (when === 'used' && !used.has(lane)) continue;
    bands.push({ lane, name, top, height });
    top += height + GAP_PX;
  }
  return { bands, height: top };
}

/** The part of the time line in view. */
export interface View {
  /** The time at the left edge, in seconds. */
  fromS: number;
  pxPerS: number;
  widthPx: number;
}

export function xOf(ms: number, view: View): number {
  return (ms / 1000 - view.fromS) * view.pxPerS;
}

export function secondsAt(x: number, view: View): number {
  return view.fromS + x / view.pxPerS;
}

/** The scale at which the whole call fits. */
export function fitting(timeline: Timeline, widthPx: number): number {
  return widthPx / ((timeline.endMs - timeline.startMs) / 1000);
}

export const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const LEAST_TICK_PX = 64;

export interface Tick {
  atS: number;
  label: string;
}

/** Ticks at round times, spaced to be readable. */
export function ticksOf(view: View): Tick[] {
  const step = STEPS_S.find((each) => each * view.pxPerS >= LEAST_TICK_PX) ?? 14_400;
  const first = Math.ceil(view.fromS / step - 1e-9);
  const last = Math.floor(secondsAt(view.widthPx, view) / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
    const atS = (first + at) * step;
    return { atS, label: clock(atS, step) };
  });
}

/** `12.5 s`, or `2:05` where the steps are minutes long. */
export function clock(atS: number, step: number): string {
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  if (Math.abs(atS) < 60 || atS < 0) return `${atS.toFixed(digits)} s`;
  const minutes = Math.floor(atS / 60 + 1e-9);
  const rest = (atS - minutes * 60).toFixed(digits);
  return `${minutes}:${rest.padStart(digits > 0 ? 3 + digits : 2, '0')}`;
}

/** The item at a point; of several, the shortest. */
export function itemAt(x: number, y: number, items: readonly Item[], bands: readonly Band[], view: View, nearPx = 5): Item | null {
  const band = bands.find((each) => y >= each.top - 2 && y <= each.top + each.height + 2);
  if (band === undefined) return null;
  const here = items.filter(
    (item) => item.lane === band.lane && x >= xOf(item.fromMs, view) - nearPx && x <= xOf(item.untilMs, view) + nearPx,
  );
  const length = (item: Item) => item.untilMs - item.fromMs;
  return here.reduce<Item | null>((least, item) => (least === null || length(item) < length(least) ? item : least), null);
}
