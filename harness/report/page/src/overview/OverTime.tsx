/** The run over time, drawn and as a table. */
import type { OverTime, Slice } from '../document';
import { OverTimePlot } from '../charts/OverTimePlot';
import { count, milliseconds, seconds } from '../numbers';
import { Figures } from '../parts';

export function OverTimeOf({ run }: { run: OverTime }) {
  return (
    <>
      <p>{run.words}.</p>
      <OverTimePlot run={run} />
      <details class="more">
        <summary>The same as a table</summary>
        <Figures
          label="TTFA, calls alive and failures"
          head={['time', 'max calls alive', 'turns', 'TTFA p50, ms', 'p95', 'calls failed', 'by']}
          rows={run.slices.map((slice) => [
            `${seconds(slice.from_s * 1000)} to ${seconds(slice.until_s * 1000)}`,
            count(slice.alive ?? 0),
            count(slice.turns ?? 0),
            milliseconds(slice.p50_ms),
            milliseconds(slice.p95_ms),
            count(failedIn(slice)),
            kindsIn(slice),
          ])}
        />
      </details>
    </>
  );
}

export function failedIn(slice: Slice): number {
  return Object.values(slice.failures ?? {}).reduce((sum, one) => sum + one, 0);
}

export function kindsIn(slice: Slice): string {
  return Object.entries(slice.failures ?? {}).map(([kind, number]) => `${number} ${kind}`).join(', ');
}
