/** The turns of a call in a row of the list: a bar each, as high as its TTFA. */
import type { CallResult, TurnResult } from '../document';
import { withMs } from '../numbers';

const MOST = 16;

export function TurnBars({ call, most }: { call: CallResult; most: number }) {
  const turns = call.turns ?? [];
  return (
    <span class="turn-bars">
      <span class="number">{turns.length}</span>
      <span class="bars" aria-hidden="true">
        {turns.slice(0, MOST).map((turn) => (
          <i
            key={turn.turn}
            class={toneOf(turn)}
            style={{ height: `${turn.ttfa_ms == null ? 100 : Math.max(12, (turn.ttfa_ms / most) * 100)}%` }}
            title={`turn ${turn.turn}: TTFA ${withMs(turn.ttfa_ms)}`}
          />
        ))}
      </span>
    </span>
  );
}

function toneOf(turn: TurnResult): string {
  if ((turn.expectations ?? []).some((each) => each.outcome === 'failed')) return 'bad';
  if (turn.fit === false || (turn.doubtful ?? []).length > 0) return 'warn';
  return turn.ttfa_ms == null ? 'none' : 'ok';
}
