/** The run against its baseline: a verdict for each metric and turn. */
import { useState } from 'preact/hooks';
import type { State, Tone } from '../calls/state';
import type { ComparisonRow, ShownComparison } from '../document';
import { counted } from '../numbers';
import { Outcome, Scroll } from '../parts';

const STATES: Record<ComparisonRow['verdict'], [sign: string, tone: Tone]> = {
  regression: ['✗', 'bad'],
  improvement: ['✓', 'ok'],
  changed: ['≠', 'warn'],
  'not enough data': ['?', 'warn'],
  same: ['=', 'quiet'],
};

function stateOf(verdict: ComparisonRow['verdict']): State {
  const [sign, tone] = STATES[verdict];
  return { sign, words: verdict, tone };
}

/** The rows with what matters first: differences, then what is undecided, then what is the same. */
function ordered(rows: readonly ComparisonRow[]): ComparisonRow[] {
  const order = Object.keys(STATES);
  return [...rows].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** The rows of a short table: all metrics over all turns, and the turns with a claimed difference. */
function notable(rows: readonly ComparisonRow[]): ComparisonRow[] {
  return rows.filter((row) => row.turn === null || !['same', 'not enough data'].includes(row.verdict));
}

export function ComparisonOf({ comparison }: { comparison: ShownComparison }) {
  const [all, setAll] = useState(false);
  const { rows = [], differences = [], notes = [] } = comparison;
  const shown = ordered(all ? rows : notable(rows));
  return (
    <>
      <p class="answer"><Outcome state={stateOf(comparison.verdict)} /> against <bdi>{comparison.baseline}</bdi></p>
      {differences.length > 0 && (
        <p class="warn">
          Not measured alike: {differences.map((each, at) => (
            <span key={at}>{at > 0 && '; '}<bdi>{each.what}</bdi> (<bdi>{each.baseline}</bdi> → <bdi>{each.run}</bdi>)</span>
          ))}
        </p>
      )}
      <Scroll label="Comparison">
        <table>
          <thead>
            <tr>
              {['verdict', 'scenario', 'metric'].map((name) => <th key={name} scope="col">{name}</th>)}
              {['baseline', 'run', 'difference', 'interval', 'calls', 'enough'].map((name) => <th key={name} scope="col" class="num">{name}</th>)}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, at) => (
              <tr key={at} title={row.why}>
                <td><Outcome state={stateOf(row.verdict)} /></td>
                <td><bdi>{row.scenario}</bdi></td>
                <th scope="row"><code>{row.metric}</code>{row.turn !== null && ` turn ${row.turn}`}</th>
                {[row.baseline, row.run, row.difference, row.interval, row.calls, row.enough].map((cell, column) => (
                  <td key={column} class={`num ${column === 2 ? 'strong' : ''}`}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {rows.length > shown.length && (
        <button type="button" class="plain" onClick={() => { setAll(true); }}>{counted(rows.length - shown.length, 'more row')}, by turn</button>
      )}
      {notes.map((note) => <p key={note} class="soft"><bdi>{note}</bdi></p>)}
    </>
  );
}
