/** The series of an observed query, on the time of the run. */
import { useMemo } from 'preact/hooks';
import uPlot from 'uplot';
import type { ObservedSeries } from '../document';
import { COLOURS, onAxis, withGaps } from './observed';
import { options, type Time } from './OverTimePlot';
import { labels, Plot } from './Plot';
import { useTheme, type Theme } from './theme';

interface ObservedProps {
  name: string;
  series: ObservedSeries[];
  run: Time;
  stepS: number;
}

export function ObservedPlot({ name, series, run, stepS }: ObservedProps) {
  const theme = useTheme();
  const plot = useMemo(() => plotOf(series, run, stepS, theme), [series, run, stepS, theme]);
  return <Plot label={`${name} over time; mean and maximum are below`} height={120} {...plot} />;
}

function plotOf(series: readonly ObservedSeries[], run: Time, stepS: number, theme: Theme) {
  const drawn = options(run, theme, { values: labels(onAxis), space: 24 }, {
    scales: { y: { range: (_, least, most) => [Math.min(0, least), Math.max(0, most) * 1.08 || (least < 0 ? 0 : 1)] } },
    series: [{}, ...series.map((_, at) => ({ stroke: theme[COLOURS[at] ?? 'soft'], width: 1.5, points: { size: 4 } }))],
  });
  return { options: drawn, data: uPlot.join(series.map((each) => withGaps(each.points ?? [], stepS))) };
}
