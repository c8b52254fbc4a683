/** How the samples of a metric are distributed: a histogram, the cumulative share, and the percentiles of the run. */
import { useMemo } from 'preact/hooks';
import uPlot from 'uplot';
import type { MetricSummary } from '../document';
import type { Line, Side, Unit } from '../metrics';
import { counted, withUnit } from '../numbers';
import { binsOf, cumulative } from './distribution';
import { axis, faint, labels, Plot } from './Plot';
import { FONT, useTheme, type Theme } from './theme';

const [ROW_PX, ROWS] = [14, 2];

interface DistributionProps {
  metric: string;
  sides: Side[];
  summary: MetricSummary | null;
  /** What is marked on the axis, besides the percentiles. */
  limits: Line[];
}


export function DistributionPlot({ metric, sides, summary, limits }: DistributionProps) {
  const theme = useTheme();
  const [drawn, unit] = useMemo(() => {
    const of = sides.filter((side) => (side.metrics[metric]?.values ?? []).length > 0);
    return [of, of[0]?.metrics[metric]?.unit ?? 'ms'] as const;
  }, [metric, sides]);
  const lines = useMemo(() => [...percentilesOf(summary), ...limits], [summary, limits]);
  const plot = useMemo(() => plotOf(drawn, metric, unit, lines, theme), [drawn, metric, unit, lines, theme]);
  const [first] = drawn;
  if (first === undefined) return <p class="soft">{metric} has no samples to draw.</p>;
  const words = `${metric}: the distribution of ${counted(summary?.count ?? 0, 'sample')}`;
  return (
    <figure class="distribution">
      <figcaption>
        <span><code>{metric}</code> <span class="soft">{first.metrics[metric]?.meaning}</span></span>
        <span class="legend">
          {drawn.map((side, at) => (
            <span key={side.name}><span class={`key side-${at}`} /> {drawn.length > 1 ? side.name : 'samples'}</span>
          ))}
          <span><span class="key line" /> share up to here</span>
        </span>
      </figcaption>
      <Plot label={`${words}; its percentiles are in the table below`} height={240} options={plot.options} data={plot.data} />
    </figure>
  );
}

function percentilesOf(summary: MetricSummary | null): Line[] {
  const found = (['p50', 'p95'] as const).map((key) => ({ key, at: summary?.[key] }));
  return found.flatMap(({ key, at }) => (at == null ? [] : [{ at, text: key, kind: 'percentile' as const }]));
}

function plotOf(sides: readonly Side[], metric: string, unit: Unit, lines: readonly Line[], theme: Theme) {
  const sets = sides.map((side) => side.metrics[metric]?.values ?? []);
  const bins = binsOf(sets);
  const colours = [theme.accent, theme.other];
  const middles = (bins.shares[0] ?? []).map((_, at) => bins.from + (at + 0.5) * bins.width);
  // Bars are aligned to the middles of bins, the cumulative lines to the samples.
  const [points, ...shares] = cumulative(sets);
  const data = uPlot.join([[middles, ...bins.shares], [points, ...shares]]);
  const ends: [number, number] = [bins.from, bins.from + bins.width * Math.max(1, middles.length)];
  // A limit is shown where it is not so far away that the samples would be squeezed.
  const beyond = lines.map((line) => line.at).filter((at) => at > ends[1] && at < ends[1] + (ends[1] - ends[0]));
  const options: Omit<uPlot.Options, 'width' | 'height'> = {
    legend: { show: false },
    // Room above for what the lines are.
    padding: [ROW_PX * ROWS + 4, 12, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [ends[0], Math.max(ends[1], ...beyond.map((at) => at + bins.width))] },
      share: { range: () => [0, 1.02] },
      bars: { range: (_, __, most) => [0, most * 1.15] },
    },
    axes: [
      axis(theme, { values: labels((value) => withUnit(unit, value)), size: 30, space: 90 }),
      axis(theme, { scale: 'share', values: (_, values) => values.map((value) => `${Math.round(value * 100)} %`), size: 48 }),
    ],
    series: [
      {},
      ...sets.map((_, at) => ({
        scale: 'bars',
        stroke: faint(colours[at] ?? theme.soft, 0.7),
        fill: faint(colours[at] ?? theme.soft, 0.35),
        paths: barsOf(bins.width),
        points: { show: false },
      })),
      ...sets.map((_, at) => ({
        scale: 'share',
        stroke: at === 0 ? theme.ink : theme.other,
        width: 1.5,
        paths: uPlot.paths.stepped?.({ align: 1 }),
        points: { show: false },
        spanGaps: true,
      })),
    ] as uPlot.Series[],
    hooks: { draw: [(plot) => { drawLines(plot, lines, unit, theme); }] },
  };
  return { options, data };
}

/** Bars as wide as their bins. uPlot's own take their width from the distances of all points, and these lie anywhere. */
function barsOf(width: number): uPlot.Series.PathBuilder {
  return (plot, series, from, until) => {
    const path = new Path2D();
    const scale = plot.series[series]?.scale ?? 'y';
    const floor = plot.valToPos(0, scale, true);
    for (let at = from; at <= until; at += 1) {
      const value = plot.data[series]?.[at];
      if (value == null || value === 0) continue;
      const middle = plot.data[0][at] ?? 0;
      const [left, right] = [plot.valToPos(middle - width / 2, 'x', true), plot.valToPos(middle + width / 2, 'x', true)];
      const top = plot.valToPos(value, scale, true);
      path.rect(left + 0.5, top, Math.max(1, right - left - 1), floor - top);
    }
    return { fill: path, stroke: null };
  };
}

function drawLines(plot: uPlot, lines: readonly Line[], unit: Unit, theme: Theme): void {
  const { ctx, bbox } = plot;
  const dot = devicePixelRatio;
  ctx.save();
  ctx.font = FONT.replace('11px', `${11 * dot}px`);
  ctx.textBaseline = 'bottom';
  const rows: number[] = [];
  for (const line of [...lines].sort((a, b) => a.at - b.at)) {
    const x = Math.round(plot.valToPos(line.at, 'x', true)) + 0.5;
    if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
    const text = line.kind === 'percentile' ? `${line.text} ${withUnit(unit, line.at)}` : line.text;
    ctx.strokeStyle = ctx.fillStyle = { percentile: theme.soft, held: theme.ok, missed: theme.bad }[line.kind];
    ctx.setLineDash(line.kind === 'percentile' ? [4 * dot, 3 * dot] : []);
    ctx.lineWidth = dot;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const size = ctx.measureText(text).width;
    const onLeft = x + size + 8 * dot > bbox.left + bbox.width;
    const start = onLeft ? x - size : x;
    let row = rows.findIndex((end) => end <= start);
    if (row < 0) row = rows.length;
    rows[row] = start + size + 6 * dot;
    if (row < ROWS) ctx.fillText(text, start, bbox.top - (2 + row * ROW_PX) * dot);
  }
  ctx.restore();
}
