/** Thresholds, pass rates and expectations, with what they came to. */
import type { State } from '../calls/state';
import type { ExpectationCounts, PassRateRow, ShownThreshold, ThresholdResult } from '../document';
import { count } from '../numbers';
import { Outcome, Scroll } from '../parts';

export function Thresholds({ thresholds, shown }: { thresholds: ThresholdResult[]; shown: ShownThreshold[] }) {
  return (
    <Scroll label="Thresholds">
      <table>
        <thead>
          <tr>
            <th scope="col">result</th>
            <th scope="col">metric</th>
            <th scope="col">limit</th>
            <th scope="col" class="num">value</th>
            <th scope="col" class="num">samples</th>
            <th scope="col">why</th>
          </tr>
        </thead>
        <tbody>
          {thresholds.map((each, at) => (
            <tr key={at}>
              <td><Outcome state={stateOf(each.ok)} /></td>
              <th scope="row"><code>{each.metric}</code></th>
              <td><code>{each.limit}</code></td>
              <td class="num strong">{shown[at]?.value}</td>
              <td class="num">{count(each.samples)}</td>
              <td class="text"><bdi>{each.why}</bdi></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function PassRates({ rates }: { rates: PassRateRow[] }) {
  return (
    <Scroll label="Pass rates">
      <table>
        <thead>
          <tr>
            <th scope="col">result</th>
            <th scope="col">of</th>
            <th scope="col">needed</th>
            <th scope="col" class="num">passed</th>
            <th scope="col" class="num">95 % interval</th>
            <th scope="col" class="num">undecided</th>
            <th scope="col">why</th>
          </tr>
        </thead>
        <tbody>
          {rates.map((rate) => (
            <tr key={rate.name}>
              <td><Outcome state={rate.state} /></td>
              <th scope="row" title={rate.place}><bdi>{rate.name}</bdi></th>
              <td><bdi>{rate.needed}</bdi></td>
              <td class="num strong">{rate.passed}</td>
              <td class="num">{rate.interval}</td>
              <td class="num">{rate.undecided}</td>
              <td class="text"><bdi>{rate.why}</bdi></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function stateOf(ok: boolean | null): State {
  if (ok === null) return { sign: '?', words: 'undecided', tone: 'warn' };
  return ok ? { sign: '✓', words: 'held', tone: 'ok' } : { sign: '✗', words: 'failed', tone: 'bad' };
}

export function Expectations({ counts }: { counts: Record<string, ExpectationCounts> }) {
  return (
    <Scroll label="Expectations">
      <table class="figures narrow">
        <thead>
          <tr>
            <th scope="col">expectation</th>
            <th scope="col" class="num">held</th>
            <th scope="col" class="num">failed</th>
            <th scope="col" class="num">undecided</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(counts).map(([name, { held = 0, failed = 0, undecided = 0 }]) => (
            <tr key={name}>
              <th scope="row"><code>{name}</code></th>
              <td class="num">{count(held)}</td>
              <td class={`num ${failed > 0 ? 'bad strong' : ''}`}>{count(failed)}</td>
              <td class={`num ${undecided > 0 ? 'warn' : ''}`}>{count(undecided)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
