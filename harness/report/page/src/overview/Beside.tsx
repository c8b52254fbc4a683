/** What ran beside or within a load: bursts of calls, and the canaries on the other engine. */
import type { Burst, CanarySummary, MetricSummary, RateSummary, Shown } from '../document';
import { isRate } from '../metrics';
import { counted, milliseconds, MISSING, withUnit } from '../numbers';
import { Figures } from '../parts';

export function Bursts({ bursts }: { bursts: Burst[] }) {
  return (
    <>
      {bursts.map((burst) => (
        <div key={burst.size} class="block">
          <p>{burst.line}</p>
          <Figures
            label={`Burst of ${burst.size}`}
            head={['since planned start, in ms', 'calls', 'p50', 'p95', 'last']}
            rows={burst.rows.map((row) => [
              row.stage,
              String(row.calls),
              milliseconds(row.p50_ms),
              milliseconds(row.p95_ms),
              milliseconds(row.last_ms),
            ])}
          />
        </div>
      ))}
    </>
  );
}

/** The metrics that a person at the phone would notice, and that both engines have. */
const HEARD = ['turn.ttfa', 'turn.ttfa_ear', 'greeting.ttfa', 'audio.concealed', 'audio.jitter_buffer'];

interface CanariesProps {
  canaries: CanarySummary;
  rest: Record<string, MetricSummary | RateSummary>;
  shown: Shown;
}

export function Canaries({ canaries, rest, shown }: CanariesProps) {
  const { total = 0, ok = 0 } = canaries.calls;
  const kinds = Object.entries(canaries.failures ?? {}).map(([kind, number]) => `, ${number} ${kind}`);
  const figure = (metric: string, of: MetricSummary | RateSummary | undefined, key: 'p50' | 'max') =>
    of === undefined || isRate(of) ? MISSING : withUnit(unitOf(metric, shown), of[key]);
  return (
    <>
      <p>
        {ok} of {counted(total, 'call')} ok on engine {canaries.engine}{kinds}. They hear what a person would, and are in
        no other number.
      </p>
      <Figures
        label="Canaries"
        head={['metric', 'canaries p50', 'canaries max', 'other calls p50', 'other calls max']}
        rows={HEARD.filter((metric) => canaries.metrics?.[metric] !== undefined).map((metric) => [
          metric,
          figure(metric, canaries.metrics?.[metric], 'p50'),
          figure(metric, canaries.metrics?.[metric], 'max'),
          figure(metric, rest[metric], 'p50'),
          figure(metric, rest[metric], 'max'),
        ])}
      />
    </>
  );
}

function unitOf(metric: string, shown: Shown) {
  return shown.metrics?.[metric]?.unit ?? (metric === 'audio.concealed' ? 'percent' : 'ms');
}
