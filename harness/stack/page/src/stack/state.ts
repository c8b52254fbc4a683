/** What the page knows, and how a message changes it. */
import type { Agent, Frame, LiveCall, Message, Run, RunCall, TimelineEvent } from './protocol';

export interface Conversation {
  readonly room: string;
  readonly frames: readonly Frame[];
}

export interface FollowedTimeline {
  readonly run: string;
  readonly call: string;
  readonly events: readonly TimelineEvent[];
}

export interface StackState {
  readonly connection: 'connecting' | 'connected' | 'lost';
  /** The folder of the runs; null where none was named, undefined while that is not known. */
  readonly runsFolder: string | null | undefined;
  /** The stack serves the call page as well. */
  readonly callPage: boolean;
  readonly agents: { readonly shown: readonly Agent[]; readonly total: number } | null;
  readonly calls: { readonly shown: readonly LiveCall[]; readonly underWay: number } | null;
  readonly conversation: Conversation | null;
  readonly runs: readonly Run[] | null;
  readonly runCalls: { readonly run: string; readonly shown: readonly RunCall[]; readonly total: number } | null;
  readonly timeline: FollowedTimeline | null;
  readonly problem: string | null;
  /** The stack's clock less ours, in ms. */
  readonly clockOffset: number;
}

export const NOTHING_KNOWN: StackState = {
  connection: 'connecting',
  runsFolder: undefined,
  callPage: false,
  agents: null,
  calls: null,
  conversation: null,
  runs: null,
  runCalls: null,
  timeline: null,
  problem: null,
  clockOffset: 0,
};

/** The state after a message; `now` is our own time in ms since the epoch. */
export function after(state: StackState, message: Message, now: number): StackState {
  const known = { ...state, clockOffset: message.now_ms - now };
  switch (message.type) {
    case 'hello':
      return { ...known, connection: 'connected', runsFolder: message.runs, callPage: message.call_page };
    case 'agents':
      return { ...known, agents: { shown: message.agents, total: message.total } };
    case 'calls':
      return { ...known, calls: { shown: message.calls, underWay: message.under_way } };
    case 'frames': {
      const { room, start, frames } = message;
      const before = state.conversation?.room === room ? state.conversation.frames.slice(0, start) : [];
      return { ...known, conversation: { room, frames: [...before, ...frames] } };
    }
    case 'runs':
      return { ...known, runs: message.runs };
    case 'run_calls':
      return { ...known, runCalls: { run: message.run, shown: message.calls, total: message.total } };
    case 'timeline': {
      const { run, call, start, events } = message;
      const followed = state.timeline;
      const before = followed?.run === run && followed.call === call ? followed.events.slice(0, start) : [];
      return { ...known, timeline: { run, call, events: [...before, ...events] } };
    }
    case 'problem':
      return { ...known, problem: message.what };
  }
}
