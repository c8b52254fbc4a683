/** All metrics: their percentiles in a table, and the distribution of one of them, drawn. */
import { useMemo, useState } from 'preact/hooks';
import type { Document, MetricSummary, RateSummary } from '../document';
import { DistributionPlot } from '../charts/DistributionPlot';
import { Sparkline } from '../charts/Sparkline';
import { isRate, limitsOn, sidesOf } from '../metrics';
import { count, counted, metricValue, percent } from '../numbers';
import { Scroll } from '../parts';

const FIRST = 'turn.ttfa';
const LEAST: [key: 'p50' | 'p90' | 'p95' | 'p99', least: number][] = [['p50', 1], ['p90', 10], ['p95', 20], ['p99', 100]];

export function Metrics({ document, metrics }: { document: Document; metrics: Record<string, MetricSummary | RateSummary> }) {
  const drawn = Object.entries(metrics).filter((each): each is [string, MetricSummary] => !isRate(each[1]));
  const rates = Object.entries(metrics).filter((each): each is [string, RateSummary] => isRate(each[1]));
  const [chosen, setChosen] = useState(FIRST in metrics ? FIRST : drawn[0]?.[0] ?? '');
  const sides = useMemo(() => sidesOf(document), [document]);
  const limits = useMemo(() => limitsOn(chosen, document), [chosen, document]);
  const shown = document.shown.metrics ?? {};
  return (
    <>
      {chosen !== '' && (
        <DistributionPlot
          metric={chosen}
          sides={sides}
          summary={drawn.find(([name]) => name === chosen)?.[1] ?? null}
          limits={limits}
        />
      )}
      {drawn.length > 0 && (
        <Scroll label="Metrics">
          <table class="figures metrics">
            <thead>
              <tr>
                <th scope="col">metric <span class="soft">times in ms</span></th>
                <th scope="col"><span class="unseen">distribution</span></th>
                <th scope="col" class="num">count</th>
                {LEAST.map(([key]) => <th key={key} scope="col" class="num">{key}</th>)}
                <th scope="col" class="num">max</th>
              </tr>
            </thead>
            <tbody>
              {drawn.map(([name, summary]) => (
                <tr key={name} class={name === chosen ? 'chosen' : undefined}>
                  <th scope="row">
                    <button type="button" class="plain" aria-pressed={name === chosen} onClick={() => { setChosen(name); }}>
                      <code>{name}</code>
                    </button>{' '}
                    <span class="meaning">{shown[name]?.meaning}</span>
                  </th>
                  <td><Sparkline values={shown[name]?.values ?? []} /></td>
                  <td class="num">{count(summary.count)}</td>
                  {LEAST.map(([key, least]) => (
                    <Percentile key={key} name={key} least={least} of={summary} text={metricValue(shown[name]?.unit ?? 'ms', summary[key])} />
                  ))}
                  <td class="num">{metricValue(shown[name]?.unit ?? 'ms', summary.max)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <p class="soft small">“–” means too few samples for this percentile (p90 needs 10, p95 needs 20, p99 needs 100).</p>
      {rates.length > 0 && (
        <Scroll label="Ratios">
          <table class="figures narrow">
            <thead>
              <tr>
                <th scope="col">ratio</th>
                <th scope="col" class="num">cases</th>
                <th scope="col" class="num">of</th>
                <th scope="col" class="num">rate</th>
              </tr>
            </thead>
            <tbody>
              {rates.map(([name, rate]) => (
                <tr key={name}>
                  <th scope="row"><code>{name}</code> <span class="meaning">{shown[name]?.meaning}</span></th>
                  <td class="num">{count(rate.failed)}</td>
                  <td class="num">{count(rate.count)}</td>
                  <td class="num">{percent(rate.rate)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Percentile({ name, least, of, text }: { name: 'p50' | 'p90' | 'p95' | 'p99'; least: number; of: MetricSummary; text: string }) {
  if (of[name] !== null) return <td class="num">{text}</td>;
  const why = of.count < least
    ? `not shown: too few samples for ${name} (${counted(of.count, 'sample')})`
    : 'not shown: it lies beyond everything measured';
  return (
    <td class="num soft" title={why}>
      {text}<span class="unseen"> {why}</span>
    </td>
  );
}
