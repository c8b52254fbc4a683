import { Conversation } from './Conversation';
import { Listen } from './Listen';
import type { LiveCall } from './protocol';
import type { StackState } from './state';
import { STATE_WORDS } from './Calls';
import { length, timeOfDay } from './times';

interface CallDetailProps {
  readonly room: string;
  /** Null if the stack does not know it, or not any more. */
  readonly call: LiveCall | null;
  readonly state: StackState;
  /** The time now by the stack's clock, in ms. */
  readonly now: number;
}

/** One call: who is in it, what is said, and listening in. */
export function CallDetail({ room, call, state, now }: CallDetailProps): React.JSX.Element {
  const frames = state.conversation?.room === room ? state.conversation.frames : null;
  if (call === null) {
    return <p className="sp-hint">{state.calls === null ? '' : 'The stack does not know this call any more.'}</p>;
  }
  return (
    <section className="sp-card" aria-labelledby="chosen">
      <h2 id="chosen" tabIndex={-1}>Call with {call.agent}</h2>
      <dl className="sp-facts">
        <Fact name="State" value={`${STATE_WORDS[call.state]}, ${length((call.until_ms ?? now) - call.since_ms)}`} />
        <Fact name="Caller" value={call.caller} />
        <Fact name="Room" value={call.room} />
        <Fact name="Since" value={timeOfDay(call.since_ms - state.clockOffset)} />
      </dl>
      <Listen room={room} caller={call.caller} over={call.state === 'over'} />
      <Conversation frames={frames} since={call.since_ms} over={call.state === 'over'} />
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): React.JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
