/** The metrics of a run, or of two runs that are compared. */
import type { Document, MetricSummary, RateSummary, ShownMetric } from './document';

/** How values are shown; those of `percent` are ratios. */
export type Unit = ShownMetric['unit'];

/** One of the runs that are laid over each other: its name, and its metrics. */
export interface Side {
  name: string;
  metrics: Record<string, ShownMetric>;
}

/**
 * The runs that the charts lay over each other, this run first. All that draws distributions takes any number of sides,
 * and which there are is said only here.
 */
export function sidesOf({ shown, comparison }: Document): Side[] {
  const sides: Side[] = [{ name: 'this run', metrics: shown.metrics ?? {} }];
  if (comparison != null) sides.push({ name: `baseline ${comparison.baseline}`, metrics: comparison.metrics ?? {} });
  return sides;
}

/** A value that is marked on the axis of a metric. */
export interface Line {
  at: number;
  text: string;
  kind: 'percentile' | 'held' | 'missed';
}

/** The limits that thresholds put on a metric, with or without tags. */
export function limitsOn(metric: string, document: Document): Line[] {
  const thresholds = document.published.summary?.thresholds ?? [];
  return thresholds.flatMap((threshold, at) => {
    const limit = document.shown.thresholds?.[at]?.limit;
    if (limit == null || baseName(threshold.metric) !== metric) return [];
    const text = threshold.metric.slice(metric.length) + ' ' + threshold.limit;
    return [{ at: limit, text: text.trim(), kind: threshold.ok === false ? ('missed' as const) : ('held' as const) }];
  });
}

/** Whether a metric's summary is a ratio of cases. */
export function isRate(summary: MetricSummary | RateSummary): summary is RateSummary {
  return 'rate' in summary;
}

/** The name without tags: `turn.ttfa` of `turn.ttfa{kind:say}`. */
export function baseName(metric: string): string {
  return metric.replace(/\{.*$/, '');
}
