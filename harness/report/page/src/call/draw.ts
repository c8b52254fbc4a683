/** Draws the part of a time line that is in view. */
import { faint } from '../charts/Plot';
import { FONT, type Theme } from '../charts/theme';
import { RULER_PX, ticksOf, xOf, type Band, type View } from './layout';
import { largest, type Peaks } from './peaks';
import type { Item, Timeline } from './timeline';

export interface Scene {
  timeline: Timeline;
  bands: Band[];
  height: number;
  peaks: Peaks | null;
  view: View;
  theme: Theme;
}

export function draw(canvas: HTMLCanvasElement, scene: Scene): void {
  const { view, height, theme } = scene;
  const dot = devicePixelRatio || 1;
  const [width, tall] = [Math.round(view.widthPx * dot), Math.round(height * dot)];
  if (canvas.width !== width || canvas.height !== tall) [canvas.width, canvas.height] = [width, tall];
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.setTransform(dot, 0, 0, dot, 0, 0);
  context.clearRect(0, 0, view.widthPx, height);
  context.font = FONT;
  context.textBaseline = 'middle';
  ruler(context, scene);
  const seen = scene.timeline.items.filter((item) => xOf(item.untilMs, view) >= -40 && xOf(item.fromMs, view) <= view.widthPx + 40);
  shades(context, scene, seen);
  for (const band of scene.bands) {
    const here = seen.filter((item) => item.lane === band.lane).sort((a, b) => a.fromMs - b.fromMs);
    if (band.lane === 'caller' || band.lane === 'agent') voice(context, scene, band, here);
    else if (band.lane === 'turns') turns(context, scene, band, here);
    else if (band.lane === 'delays' || band.lane === 'stops') delays(context, scene, band, here);
    else if (band.lane === 'texts') texts(context, scene, band, here);
    else spans(context, scene, band, here);
  }
  // Over all lanes, in the theme's colour for what went wrong.
  for (const item of seen) if (item.kind === 'failure') failure(context, scene, item, theme);
}

function ruler(context: CanvasRenderingContext2D, { view, height, theme }: Scene): void {
  context.strokeStyle = theme.rule;
  context.fillStyle = theme.soft;
  context.textAlign = 'center';
  for (const tick of ticksOf(view)) {
    const x = Math.round(xOf(tick.atS * 1000, view)) + 0.5;
    line(context, x, RULER_PX - 4, x, height);
    if (x > 14 && x < view.widthPx - 14) context.fillText(tick.label, x, RULER_PX / 2 - 1);
  }
}

/** Turns alternate in colour; what is in no percentile is hatched. */
function shades(context: CanvasRenderingContext2D, { view, height, theme }: Scene, items: readonly Item[]): void {
  for (const item of items) {
    if (item.lane !== 'turns') continue;
    const [x, width] = extent(item, view);
    if (item.kind === 'turn') {
      context.fillStyle = Number(item.label) % 2 === 0 ? theme.band : theme.band2;
      context.globalAlpha = 0.7;
      context.fillRect(x, RULER_PX, width, height - RULER_PX);
      context.globalAlpha = 1;
    }
  }
  for (const item of items) {
    if (item.kind !== 'unfit' && item.kind !== 'doubtful') continue;
    const [x, width] = extent(item, view);
    context.save();
    context.beginPath();
    context.rect(x, RULER_PX, width, height - RULER_PX);
    context.clip();
    context.strokeStyle = faint(theme.warn, 0.35);
    context.lineWidth = item.kind === 'unfit' ? 3 : 1;
    // Hatched from where the item starts, so that the lines stay with it when it is scrolled.
    for (let at = xOf(item.fromMs, view) - height; at < x + width; at += 12) {
      if (at > x - height) line(context, at, height, at + height, 0);
    }
    context.restore();
  }
}

function extent(item: Item, view: View): [x: number, width: number] {
  const from = Math.max(-50, xOf(item.fromMs, view));
  return [from, Math.max(1, Math.min(view.widthPx + 50, xOf(item.untilMs, view)) - from)];
}

function voice(context: CanvasRenderingContext2D, scene: Scene, band: Band, items: readonly Item[]): void {
  const { view, theme, peaks } = scene;
  const who = band.lane as 'caller' | 'agent';
  const middle = band.top + band.height / 2;
  context.fillStyle = theme.rule;
  context.fillRect(0, middle - 0.5, view.widthPx, 1);
  const voiced = items.filter((item) => item.kind === 'voice');
  for (const item of voiced) {
    const [x, width] = extent(item, view);
    const inset = peaks === null ? 12 : 1;
    context.fillStyle = peaks === null ? theme[who] : theme[`${who}-fill`];
    context.beginPath();
    context.roundRect(x, band.top + inset, width, band.height - 2 * inset, Math.min(3, width / 2));
    context.fill();
  }
  if (peaks !== null) waveform(context, scene, band, peaks, voiced);
  for (const item of items) {
    const x = xOf(item.fromMs, view);
    if (item.kind === 'onset') {
      context.fillStyle = theme.ink;
      context.beginPath();
      context.moveTo(x, band.top + 7);
      context.lineTo(x - 4, band.top - 1);
      context.lineTo(x + 4, band.top - 1);
      context.fill();
      context.fillRect(x - 0.5, band.top, 1, band.height);
    } else if (item.kind === 'typed' || item.kind === 'barge') {
      context.fillStyle = theme.ink;
      context.textAlign = 'left';
      context.font = FONT.replace('11px', '15px');
      context.fillText(item.label, x - 1, item.kind === 'typed' ? middle : band.top + 8);
      context.font = FONT;
    }
  }
}

function waveform(context: CanvasRenderingContext2D, { view, theme }: Scene, band: Band, peaks: Peaks, voiced: readonly Item[]): void {
  const who = band.lane as 'caller' | 'agent';
  const middle = band.top + band.height / 2;
  const half = band.height / 2 - 2;
  let next = 0;
  for (let x = 0; x < view.widthPx; x += 1) {
    const fromS = view.fromS + x / view.pxPerS;
    if (fromS < 0 || fromS * peaks.perS > peaks[who].length) continue;
    const height = Math.max(0.5, largest(peaks[who], peaks.perS, fromS, fromS + 1 / view.pxPerS) * half);
    while (next < voiced.length && (voiced[next]?.untilMs ?? 0) < fromS * 1000) next += 1;
    const isVoiced = (voiced[next]?.fromMs ?? Infinity) <= (fromS + 1 / view.pxPerS) * 1000;
    context.fillStyle = isVoiced ? theme[who] : theme.soft;
    context.globalAlpha = isVoiced ? 1 : 0.45;
    context.fillRect(x, middle - height, 1, 2 * height);
  }
  context.globalAlpha = 1;
}

function turns(context: CanvasRenderingContext2D, { view, theme }: Scene, band: Band, items: readonly Item[]): void {
  let free = -Infinity;
  for (const item of items) {
    if (item.kind !== 'turn') continue;
    const start = xOf(item.fromMs, view);
    const x = Math.max(start, free);
    context.strokeStyle = theme.soft;
    context.setLineDash([2, 3]);
    line(context, Math.round(start) + 0.5, band.top, Math.round(start) + 0.5, band.top + 1000);
    context.setLineDash([]);
    const size = context.measureText(item.label).width + 9;
    free = x + size + 1;
    context.fillStyle = item.bad ? theme.bad : theme.soft;
    context.beginPath();
    context.roundRect(x, band.top, size, band.height, 3);
    context.fill();
    context.fillStyle = theme.back;
    context.textAlign = 'center';
    context.fillText(item.label, x + size / 2, band.top + band.height / 2 + 0.5);
  }
}

function delays(context: CanvasRenderingContext2D, { view, theme }: Scene, band: Band, items: readonly Item[]): void {
  const y = Math.round(band.top + band.height / 2 + 5) + 0.5;
  let free = -Infinity;
  for (const item of items) {
    const [from, until] = [Math.round(xOf(item.fromMs, view)) + 0.5, Math.round(xOf(item.untilMs, view)) + 0.5];
    context.strokeStyle = theme.ink;
    context.lineWidth = 1.25;
    line(context, from, y - 5, from, y + 5);
    line(context, from, y, until, y);
    line(context, until, y - 5, until, y + 5);
    context.lineWidth = 1;
    const half = context.measureText(item.label).width / 2;
    const middle = Math.max(half + 2, Math.min(view.widthPx - half - 2, (from + until) / 2));
    const inView = until > 0 && from < view.widthPx;
    if (!inView || middle - half < free) continue;
    free = middle + half + 4;
    label(context, item.label, middle, band.top + 6, theme);
  }
}

function texts(context: CanvasRenderingContext2D, { view, theme }: Scene, band: Band, items: readonly Item[]): void {
  let free = -Infinity;
  for (const item of items) {
    const x = xOf(item.fromMs, view);
    context.fillStyle = item.kind === 'junk' ? theme.warn : theme.soft;
    context.fillRect(x - 0.5, band.top, 1, item.label === '' ? 6 : 4);
    if (item.label === '') continue;
    const at = Math.max(x, free);
    free = at + 10;
    context.fillStyle = item.kind === 'junk' ? theme.warn : theme.ink;
    context.textAlign = 'center';
    context.fillText(item.label, at, band.top + 11);
  }
}

function spans(context: CanvasRenderingContext2D, { view, theme }: Scene, band: Band, items: readonly Item[]): void {
  for (const item of items) {
    const [x, width] = extent(item, view);
    const colour = item.lane === 'tools' ? theme.other : theme.warn;
    context.fillStyle = faint(item.bad ? theme.bad : colour, item.lane === 'own' && !item.bad ? 0.45 : 0.9);
    context.beginPath();
    context.roundRect(x, band.top, Math.max(3, width - 1), band.height, 2);
    context.fill();
    if (item.lane === 'tools') {
      const size = context.measureText(item.label).width;
      context.textAlign = 'left';
      context.fillStyle = width > size + 8 ? theme.back : theme.ink;
      context.fillText(item.label, width > size + 8 ? x + 4 : x + width + 4, band.top + band.height / 2 + 0.5);
    }
  }
}

function failure(context: CanvasRenderingContext2D, { view, height }: Scene, item: Item, theme: Theme): void {
  const x = Math.round(xOf(item.fromMs, view)) + 0.5;
  context.strokeStyle = theme.bad;
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  line(context, x, RULER_PX, x, height);
  context.setLineDash([]);
  context.lineWidth = 1;
  label(context, item.label, x, height / 2, theme, theme.bad);
}

function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, theme: Theme, colour = theme.ink): void {
  context.textAlign = 'center';
  context.lineJoin = 'round';
  context.lineWidth = 3;
  context.strokeStyle = theme.back;
  context.strokeText(text, x, y);
  context.lineWidth = 1;
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
