import { useEffect, useRef, useState, useSyncExternalStore } from 'react';

import { Agents } from './Agents';
import { CallDetail } from './CallDetail';
import { Calls } from './Calls';
import type { Stack } from './connection';
import { lookFor, selectionIn, type Selection, withSelection } from './selection';
import { Runs } from './Runs';
import { RunDetail } from './RunDetail';
import type { StackState } from './state';
import { useNow } from './times';

interface StackPageProps {
  readonly stack: Stack;
}

/** The stack's own page: lists of calls, agents and runs on the one side, what is chosen among them on the other. */
export function StackPage({ stack }: StackPageProps): React.JSX.Element {
  const state = useSyncExternalStore(stack.subscribe, stack.snapshot);
  const selection = useSelection();
  useEffect(() => {
    stack.look(lookFor(selection));
  }, [stack, selection]);
  const now = useNow((state.calls?.underWay ?? 0) > 0) + state.clockOffset;
  const lists = useRef<HTMLDivElement>(null);
  const detail = useRef<HTMLDivElement>(null);
  const before = useRef(selection);
  useEffect(() => {
    // In one column the link that was followed is hidden by now, and the focus with it.
    if (before.current !== selection && lists.current?.offsetParent === null) {
      window.scrollTo(0, 0);
      detail.current?.querySelector('h2')?.focus();
    }
    before.current = selection;
  }, [selection]);
  const back = backFrom(selection);
  return (
    <main className="sp" data-detail={back !== null}>
      <header className="sp-header">
        <h1>voice-harness stack</h1>
        <p role="status" className="sp-connection" data-connection={state.connection}>
          {CONNECTION_WORDS[state.connection]}
        </p>
      </header>
      <p role="alert" className="sp-problem">
        {state.problem}
      </p>
      <div className="sp-columns">
        <div className="sp-lists" ref={lists}>
          <Calls
            calls={state.calls}
            chosen={selection.kind === 'call' ? selection.room : null}
            now={now}
            offset={state.clockOffset}
          />
          <Runs state={state} selection={selection} />
          <Agents agents={state.agents} callPage={state.callPage} />
        </div>
        <div className="sp-detail" ref={detail}>
          {back !== null && (
            <a className="sp-back" href={withSelection(back)}>
              Back to the lists
            </a>
          )}
          <Chosen state={state} selection={selection} now={now} />
        </div>
      </div>
    </main>
  );
}

/** What is chosen once the detail is left; null where none is shown. */
function backFrom(selection: Selection): Selection | null {
  if (selection.kind === 'run') {
    return selection.call === null ? null : { ...selection, call: null };
  }
  return selection.kind === 'call' ? { kind: 'none' } : null;
}

const CONNECTION_WORDS: Record<StackState['connection'], string> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  lost: 'The stack does not answer. Trying again…',
};

interface ChosenProps {
  readonly state: StackState;
  readonly selection: Selection;
  readonly now: number;
}

function Chosen({ state, selection, now }: ChosenProps): React.JSX.Element {
  if (selection.kind === 'call') {
    const call = state.calls?.shown.find(({ room }) => room === selection.room) ?? null;
    return <CallDetail key={selection.room} room={selection.room} call={call} state={state} now={now} />;
  }
  if (selection.kind === 'run' && selection.call !== null) {
    return <RunDetail key={`${selection.run}/${selection.call}`} run={selection.run} call={selection.call} state={state} />;
  }
  return (
    <p className="sp-hint">
      Choose a call to follow its conversation and to listen in, or a call of a run to see its timeline.
    </p>
  );
}

function useSelection(): Selection {
  const [selection, setSelection] = useState(() => selectionIn(window.location.hash));
  useEffect(() => {
    const change = (): void => {
      setSelection(selectionIn(window.location.hash));
    };
    window.addEventListener('hashchange', change);
    return () => {
      window.removeEventListener('hashchange', change);
    };
  }, []);
  return selection;
}
