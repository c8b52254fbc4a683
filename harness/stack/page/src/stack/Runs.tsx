import type { Selection } from './selection';
import { withSelection } from './selection';
import type { StackState } from './state';

interface RunsProps {
  readonly state: StackState;
  readonly selection: Selection;
}

/** The runs of the folder that was named, and the calls of the one that is chosen. */
export function Runs({ state, selection }: RunsProps): React.JSX.Element {
  const { runs, runsFolder } = state;
  const chosen = selection.kind === 'run' ? selection : null;
  return (
    <section className="sp-card" aria-labelledby="runs">
      <h2 id="runs">Runs</h2>
      {runsFolder === null && (
        <p className="sp-empty">
          Start the stack with <code>--runs reports</code> to see the timelines of runs as they grow.
        </p>
      )}
      {runs?.length === 0 && (
        <p className="sp-empty">
          No run in <code>{runsFolder}</code> yet.
        </p>
      )}
      <ul className="sp-list">
        {runs?.map(({ run, ended }) => (
          <li key={run}>
            <a
              className="sp-row"
              href={withSelection({ kind: 'run', run, call: null })}
              aria-current={run === chosen?.run ? 'true' : undefined}
              aria-expanded={run === chosen?.run}
            >
              <span className="sp-row-top">
                <strong>{run}</strong>
                <Progress ended={ended} />
              </span>
            </a>
            {run === chosen?.run && <RunCalls state={state} run={run} chosen={chosen.call} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface RunCallsProps {
  readonly state: StackState;
  readonly run: string;
  readonly chosen: string | null;
}

function RunCalls({ state, run, chosen }: RunCallsProps): React.JSX.Element {
  const calls = state.runCalls?.run === run ? state.runCalls : null;
  const rest = calls === null ? 0 : calls.total - calls.shown.length;
  return (
    <>
      {calls?.total === 0 && <p className="sp-empty">No call yet.</p>}
      <ul className="sp-list sp-inner" aria-label={`Calls of ${run}`}>
        {calls?.shown.map(({ call, ended }) => (
          <li key={call}>
            <a
              className="sp-row"
              href={withSelection({ kind: 'run', run, call })}
              aria-current={call === chosen ? 'true' : undefined}
            >
              <span className="sp-row-top">
                <span>{call}</span>
                <Progress ended={ended} />
              </span>
            </a>
          </li>
        ))}
      </ul>
      {rest > 0 && <p className="sp-empty">And {rest} earlier ones.</p>}
    </>
  );
}

function Progress({ ended }: { readonly ended: boolean }): React.JSX.Element {
  return (
    <span className="sp-state" data-state={ended ? 'over' : 'live'}>
      {ended ? 'Ended' : 'Running'}
    </span>
  );
}
