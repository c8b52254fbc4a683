/** TTFA, calls alive and failed calls on one axis of time. A dot leads to its turn. */
import { useMemo } from 'preact/hooks';
import uPlot from 'uplot';
import type { OverTime } from '../document';
import { seconds, withMs } from '../numbers';
import { failedIn } from '../slices';
import { clock, STEPS_S } from '../call/layout';
import { axis, faint, labels, Plot } from './Plot';
import { nearestDot, onePerPoint } from './dots';
import { useTheme, type Theme } from './theme';

const LEFT_PX = 72;

export type Time = Pick<OverTime, 'end_s' | 'warm_up_s'>;

interface OverTimeProps {
  run: OverTime;
  /** Called with the call and the number of the turn whose dot was pressed. */
  onTurn: (call: string, turn: number) => void;
}

export function OverTimePlot({ run, onTurn }: OverTimeProps) {
  const theme = useTheme();
  const ttfa = useMemo(() => ttfaOf(run, theme, onTurn), [run, theme, onTurn]);
  const alive = useMemo(() => aliveOf(run, theme), [run, theme]);
  const failed = useMemo(() => failedOf(run, theme), [run, theme]);
  const hasFailed = run.slices.some((slice) => failedIn(slice) > 0);
  return (
    <figure class="over-time-plots">
      <figcaption class="legend">
        {(run.dots.at_s ?? []).length > 0 && <span><span class="key dot" /> TTFA of a turn</span>}
        <span><span class="key p50" /> p50</span>
        <span><span class="key p95" /> p95 of each interval</span>
        {(run.warm_up_s ?? 0) > 0 && <span><span class="key warm-up" /> warm-up</span>}
        <span class="soft">0 s is the start of the first call</span>
      </figcaption>
      <h3>TTFA</h3>
      <Plot label="TTFA over time; the numbers are in the table below" height={200} {...ttfa} />
      <h3>calls alive</h3>
      <Plot label="Calls alive over time; the numbers are in the table below" height={100} {...alive} />
      {hasFailed && (
        <>
          <h3>calls failed</h3>
          <Plot label="Failed calls over time; the numbers are in the table below" height={100} {...failed} />
        </>
      )}
    </figure>
  );
}

/** The options of a chart over the time of the run. */
export function options(run: Time, theme: Theme, y: uPlot.Axis, more: Partial<uPlot.Options>): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    legend: { show: false },
    cursor: { y: false, sync: { key: 'over-time' }, drag: { x: false, y: false }, points: { show: false } },
    axes: [
      axis(theme, { values: (_, values) => values.map((value) => clock(value, (values[1] ?? 1) - (values[0] ?? 0))), incrs: STEPS_S, size: 28, space: 80 }),
      axis(theme, { size: LEFT_PX, ...y }),
    ],
    series: [],
    ...more,
    scales: { x: { time: false, range: () => [0, run.end_s] }, ...more.scales },
    hooks: { drawClear: [(plot) => { shadeWarmUp(plot, run, theme); }], ...more.hooks },
  };
}

function shadeWarmUp(plot: uPlot, run: Time, theme: Theme): void {
  if (!run.warm_up_s) return;
  const { left, top, height } = plot.bbox;
  plot.ctx.fillStyle = theme.band2;
  plot.ctx.fillRect(left, top, plot.valToPos(run.warm_up_s, 'x', true) - left, height);
}

function ttfaOf(run: OverTime, theme: Theme, onTurn: OverTimeProps['onTurn']) {
  const { at_s: at = [], ttfa_ms: ms = [], call = [], turn = [] } = run.dots;
  const measured = run.slices.filter((slice) => slice.p50_ms != null);
  const middles = measured.map((slice) => (slice.from_s + slice.until_s) / 2);
  const dots = onePerPoint(at, ms);
  const data = uPlot.join([
    [dots.at, dots.ms],
    [middles, measured.map((slice) => slice.p50_ms ?? null), measured.map((slice) => slice.p95_ms ?? null)],
  ]);
  const line = { width: 2, spanGaps: true, points: { show: true, size: 6 } };
  const isCrowded = at.length > 400;
  const drawn = options(run, theme, { values: labels(withMs) }, {
    scales: { y: { range: (_, __, most) => [0, (most || 1) * 1.08] } },
    series: [
      {},
      { paths: () => null, points: { show: true, size: isCrowded ? 3 : 6, fill: faint(theme.accent, isCrowded ? 0.35 : 0.5), stroke: 'transparent', width: 0 } },
      { stroke: theme.accent, ...line, show: measured.length > 1 },
      { stroke: theme.agent, ...line, show: measured.length > 1 },
    ],
    hooks: {
      ready: [
        (plot) => {
          const tip = document.createElement('div');
          tip.className = 'tip';
          tip.hidden = true;
          plot.over.append(tip);
          const nearest = (event: MouseEvent): number => {
            const box = plot.over.getBoundingClientRect();
            return nearestDot(at, ms, event.clientX - box.left, event.clientY - box.top, (s, value) => [plot.valToPos(s, 'x'), plot.valToPos(value, 'y')]);
          };
          plot.over.addEventListener('mousemove', (event) => {
            const found = nearest(event);
            plot.over.style.cursor = found < 0 ? '' : 'pointer';
            tip.hidden = found < 0;
            if (found < 0) return;
            tip.textContent = `${call[found] ?? ''} turn ${turn[found] ?? ''}: ${withMs(ms[found])}, at ${seconds((at[found] ?? 0) * 1000)}`;
            tip.style.left = `${Math.min(plot.valToPos(at[found] ?? 0, 'x'), plot.over.clientWidth - 220)}px`;
            tip.style.top = `${Math.max(0, plot.valToPos(ms[found] ?? 0, 'y') - 28)}px`;
          });
          plot.over.addEventListener('mouseleave', () => { tip.hidden = true; });
          plot.over.addEventListener('click', (event) => {
            const found = nearest(event);
            if (found >= 0) onTurn(call[found] ?? '', turn[found] ?? 0);
          });
        },
      ],
    },
  });
  return { options: drawn, data };
}

function aliveOf(run: OverTime, theme: Theme) {
  const most = Math.max(1, ...run.alive);
  const drawn = options(run, theme, { values: whole, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 24 }, {
    scales: { y: { range: () => [0, most * 1.08] } },
    series: [{}, { stroke: theme.accent, fill: faint(theme.accent, 0.12), width: 1.5, ...paths(uPlot.paths.stepped?.({ align: 1 })), points: { show: false } }],
  });
  return { options: drawn, data: [[0, ...run.alive_at_s], [0, ...run.alive]] as uPlot.AlignedData };
}

function failedOf(run: OverTime, theme: Theme) {
  const counts = run.slices.map(failedIn);
  const middles = run.slices.map((slice) => (slice.from_s + slice.until_s) / 2);
  const drawn = options(run, theme, { values: whole, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 24 }, {
    scales: { y: { range: () => [0, Math.max(1, ...counts) * 1.08] } },
    series: [{}, { stroke: theme.bad, fill: theme.bad, ...paths(uPlot.paths.bars?.({ size: [0.8, 60] })), points: { show: false } }],
  });
  return { options: drawn, data: [middles, counts] as uPlot.AlignedData };
}

function whole(_: uPlot, values: number[]): string[] {
  return values.map((value) => (Number.isInteger(value) ? String(value) : ''));
}

function paths(builder: uPlot.Series.PathBuilder | undefined): Pick<uPlot.Series, 'paths'> {
  return builder === undefined ? {} : { paths: builder };
}
