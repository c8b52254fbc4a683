/** The answer of a capacity search, its curve, and its steps. */
import type { Capacity, Hold, ObservedStat } from '../document';
import { CapacityPlot } from '../charts/CapacityPlot';
import { count, percent, plain, withMs } from '../numbers';
import { Figures, Outcome, Scroll } from '../parts';
import type { State } from '../calls/state';

export function CapacityOf({ capacity, recovery }: { capacity: Capacity; recovery: string }) {
  return (
    <>
      <p class="answer"><bdi>{capacity.answer.words}</bdi></p>
      {recovery !== '' && <p><bdi>{recovery}</bdi></p>}
      <CapacityPlot capacity={capacity} />
      <Figures
        label="Curve"
        head={['calls at once', 'holds', 'met', 'unfit', 'turns', 'TTFA p50', 'TTFA p95', 'calls failed', 'expectations failed', ...(capacity.curve[0]?.observed ?? []).map(headOf)]}
        rows={capacity.curve.map((point) => [
          ...[point.calls, point.holds, point.met, point.unfit, point.turns].map(count),
          withMs(point.ttfa_p50),
          withMs(point.ttfa_p95),
          percent(point.failed),
          percent(point.wrong),
          ...(point.observed ?? []).map(inWords),
        ])}
      />
      {capacity.steps.length > 0 && <Steps steps={capacity.steps} />}
    </>
  );
}

const headOf = (seen: ObservedStat) => `${seen.query}, mean / max`;
const inWords = (seen: ObservedStat) => `${plain(seen.mean)} / ${plain(seen.max)}`;

const VERDICTS: Record<Hold['verdict'], State> = {
  met: { sign: '✓', words: 'met', tone: 'ok' },
  missed: { sign: '✗', words: 'missed', tone: 'bad' },
  unfit: { sign: '!', words: 'unfit', tone: 'warn' },
  set_up: { sign: '?', words: 'mostly set-up', tone: 'quiet' },
};

function Steps({ steps }: { steps: Hold[] }) {
  return (
    <details class="more">
      <summary>The steps of the search</summary>
      <Scroll label="Steps">
        <table>
          <thead>
            <tr>
              <th scope="col" class="num">step</th>
              <th scope="col" class="num">calls at once</th>
              <th scope="col">result</th>
              <th scope="col" class="num">turns</th>
              <th scope="col" class="num">TTFA p50</th>
              <th scope="col" class="num">TTFA p95</th>
              {(steps[0]?.observed ?? []).map((seen) => <th key={seen.query} scope="col" class="num">{headOf(seen)}</th>)}
              <th scope="col">why</th>
            </tr>
          </thead>
          <tbody>
            {steps.map((step) => (
              <tr key={step.step}>
                <th scope="row" class="num">{step.step}</th>
                <td class="num">{count(step.calls)}</td>
                <td><Outcome state={VERDICTS[step.verdict]} /></td>
                <td class="num">{count(step.turns)}</td>
                <td class="num">{withMs(step.ttfa?.p50)}</td>
                <td class="num">{withMs(step.ttfa?.p95)}</td>
                {(step.observed ?? []).map((seen) => <td key={seen.query} class="num">{inWords(seen)}</td>)}
                <td class="text"><bdi>{step.why}</bdi></td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
