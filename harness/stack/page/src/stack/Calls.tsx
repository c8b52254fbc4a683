import { useId, useState } from 'react';

import type { CallState, LiveCall } from './protocol';
import { withSelection } from './selection';
import type { StackState } from './state';
import { length, timeOfDay } from './times';

const FILTER_FROM = 8; // calls

export const STATE_WORDS: Record<CallState, string> = { waiting: 'Waiting', live: 'Live', over: 'Ended' };

interface CallsProps {
  readonly calls: StackState['calls'];
  /** The room of the call that is chosen. */
  readonly chosen: string | null;
  /** The time now and the offset of the stack's clock from ours, in ms. */
  readonly now: number;
  readonly offset: number;
}

/** The calls that the stack has now, and the last ones that have ended. */
export function Calls({ calls, chosen, now, offset }: CallsProps): React.JSX.Element {
  const [filter, setFilter] = useState('');
  const shown = (calls?.shown ?? []).filter((call) => matches(call, filter));
  return (
    <section className="sp-card" aria-labelledby="calls">
      <h2 id="calls">Calls{calls !== null && <span className="sp-count"> {calls.underWay} now</span>}</h2>
      {(calls?.shown.length ?? 0) >= FILTER_FROM && <Filter value={filter} onChange={setFilter} />}
      {calls !== null && calls.shown.length === 0 && (
        <p className="sp-empty">No call yet. A call to an agent of this stack appears here when it begins.</p>
      )}
      {calls !== null && calls.shown.length > 0 && shown.length === 0 && <p className="sp-empty">No such call.</p>}
      <ul className="sp-list">
        {shown.map((call) => (
          <li key={call.room}>
            <a
              className="sp-row"
              href={withSelection({ kind: 'call', room: call.room })}
              aria-current={call.room === chosen ? 'true' : undefined}
            >
              <span className="sp-row-top">
                <strong>{call.agent}</strong>
                <span className="sp-state" data-state={call.state}>
                  {STATE_WORDS[call.state]}
                </span>
                <span className="sp-time">{length((call.until_ms ?? now) - call.since_ms)}</span>
              </span>
              <span className="sp-row-more">
                {call.caller}, since {timeOfDay(call.since_ms - offset)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function matches({ agent, caller, room }: LiveCall, filter: string): boolean {
  const wanted = filter.trim().toLowerCase();
  return [agent, caller, room].some((name) => name.toLowerCase().includes(wanted));
}

interface FilterProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Filter({ value, onChange }: FilterProps): React.JSX.Element {
  const id = useId();
  return (
    <p className="sp-filter">
      <label htmlFor={id}>Filter by agent, caller or room</label>
      <input
        id={id}
        type="search"
        value={value}
        autoComplete="off"
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
    </p>
  );
}
