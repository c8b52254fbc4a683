/** What the agent's hosts did during the run. */
import { useMemo } from 'preact/hooks';
import { ObservedPlot } from '../charts/ObservedPlot';
import { COLOURS } from '../charts/observed';
import type { Observed, OverTime, ShownObserved } from '../document';
import { plain } from '../numbers';

export function ObservedOf({ observed, shown, overTime }: { observed: Observed; shown: ShownObserved; overTime: OverTime | null }) {
  const run = useMemo(() => overTime ?? { end_s: observed.until_s }, [overTime, observed]);
  return (
    <>
      {shown.is_doubtful ? <p><strong>{shown.words}</strong></p> : <p class="soft">{shown.words}</p>}
      {!observed.error && (observed.queries ?? []).map((query, at) => (
        <figure key={query.name}>
          <figcaption><bdi>{query.name}</bdi> <code class="soft">{query.query}</code></figcaption>
          {query.error ? <p><bdi>{query.error}</bdi></p> : (
            <>
              <ObservedPlot name={query.name} series={query.series ?? []} run={run} stepS={observed.step_s} />
              <p class="legend">
                {(shown.queries?.[at]?.series ?? []).map((series, number) => (
                  <span key={series.name}>
                    <span class="key" style={{ background: `var(--${COLOURS[number] ?? 'soft'})` }} /> <bdi>{series.name}</bdi> mean{' '}
                    {plain(series.mean)}, max {plain(series.max)}
                  </span>
                ))}
                <span>{shown.queries?.[at]?.note}</span>
              </p>
            </>
          )}
        </figure>
      ))}
    </>
  );
}
