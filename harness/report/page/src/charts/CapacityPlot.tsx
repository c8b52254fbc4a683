/** TTFA against the number of calls at once: hollow where objectives were missed, shaded where the answer lies. */
import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Capacity, CurvePoint } from '../document';
import { withMs } from '../numbers';
import { isMissed } from './capacity';
import { axis, labels, Plot } from './Plot';
import { useTheme, type Theme } from './theme';

export function CapacityPlot({ capacity }: { capacity: Capacity }) {
  const theme = useTheme();
  const plot = useMemo(() => plotOf(capacity, theme), [capacity, theme]);
  if (!capacity.curve.some((point) => point.ttfa_p50 !== null)) return null;
  return (
    <figure class="capacity-plot">
      <figcaption class="legend">
        <span><span class="key p50" /> TTFA p50</span>
        <span><span class="key p95" /> TTFA p95</span>
        <span><span class="key hollow" /> an objective was missed</span>
        <span><span class="key warm-up" /> 95 % interval of the answer</span>
      </figcaption>
      <Plot label="TTFA against calls at once; the numbers are in the table below" height={240} {...plot} />
    </figure>
  );
}

function plotOf(capacity: Capacity, theme: Theme) {
  const curve = [...capacity.curve].sort((a, b) => a.calls - b.calls);
  const most = curve.at(-1)?.calls ?? 1;
  const data = [
    curve.map((point) => point.calls),
    curve.map((point) => point.ttfa_p50),
    curve.map((point) => point.ttfa_p95),
  ] as uPlot.AlignedData;
  const line = { width: 2, spanGaps: true, points: { show: false } };
  const options: Omit<uPlot.Options, 'width' | 'height'> = {
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [0, most + 0.6] },
      y: { range: (_, __, highest) => [0, (highest || 1) * 1.08] },
    },
    axes: [
      axis(theme, { size: 44, label: 'calls at once', labelSize: 16, labelFont: '11px system-ui', values: (_, values) => values.map((value) => (Number.isInteger(value) ? String(value) : '')) }),
      axis(theme, { size: 72, values: labels(withMs) }),
    ],
    series: [{}, { stroke: theme.accent, ...line }, { stroke: theme.agent, ...line }],
    hooks: {
      drawClear: [(plot) => { shadeInterval(plot, capacity, most, theme); }],
      draw: [(plot) => { drawDots(plot, curve, theme); }],
    },
  };
  return { options, data };
}

function shadeInterval(plot: uPlot, capacity: Capacity, most: number, theme: Theme): void {
  const [low, high] = capacity.answer.interval;
  if (high === null) return;
  const { top, height } = plot.bbox;
  const from = plot.valToPos(Math.max(0, low - 0.5), 'x', true);
  plot.ctx.fillStyle = theme.band2;
  plot.ctx.fillRect(from, top, plot.valToPos(Math.min(high + 0.5, most + 0.6), 'x', true) - from, height);
}

function drawDots(plot: uPlot, curve: readonly CurvePoint[], theme: Theme): void {
  const { ctx } = plot;
  ctx.save();
  ctx.lineWidth = 2 * devicePixelRatio;
  for (const point of curve) {
    for (const [value, colour] of [[point.ttfa_p50, theme.accent], [point.ttfa_p95, theme.agent]] as const) {
      if (value === null) continue;
      ctx.beginPath();
      ctx.arc(plot.valToPos(point.calls, 'x', true), plot.valToPos(value, 'y', true), 4 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.strokeStyle = colour;
      ctx.fillStyle = isMissed(point) ? theme.back : colour;
      ctx.fill();
      ctx.stroke();
    }
  }
  ctx.restore();
}
