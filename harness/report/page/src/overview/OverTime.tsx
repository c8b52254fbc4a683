/** The run over time, drawn and as a table. */
import { useCallback } from 'preact/hooks';
import type { CallResult, OverTime } from '../document';
import { OverTimePlot } from '../charts/OverTimePlot';
import { count, milliseconds, seconds } from '../numbers';
import { Figures } from '../parts';
import { linkTo } from '../route';
import { failedIn, kindsIn } from '../slices';

export function OverTimeOf({ run, calls }: { run: OverTime; calls: CallResult[] }) {
  const onTurn = useCallback((id: string, number: number) => {
    const turn = calls.find((call) => call.call === id)?.turns?.find((each) => each.turn === number);
    location.hash = linkTo(id, (turn?.caller_start_ms ?? turn?.started_ms ?? 0) / 1000);
  }, [calls]);
  return (
    <>
      <p>{run.words}.</p>
      <OverTimePlot run={run} onTurn={onTurn} />
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
