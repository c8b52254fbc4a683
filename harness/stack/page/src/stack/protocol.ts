/** What the stack tells the page; `harness/stack/web/viewer.py` is the other side. */

export type CallState = 'waiting' | 'live' | 'over';

export interface LiveCall {
  readonly room: string;
  readonly agent: string;
  readonly caller: string;
  readonly state: CallState;
  /** Times of the stack's clock, in ms since the epoch. */
  readonly since_ms: number;
  readonly until_ms: number | null;
}

export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly language: string;
  readonly voice: string;
  readonly greeting: string;
  readonly documents: number;
  readonly mcp_servers: number;
}

/** A frame as the agent sent it to the caller. */
export interface Frame {
  readonly topic: string;
  readonly at_ms: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface Run {
  readonly run: string;
  readonly ended: boolean;
}

export interface RunCall {
  readonly call: string;
  readonly ended: boolean;
}

/** A line of a timeline: `t` is monotonic ns, the other fields are those of the event. */
export type TimelineEvent = Readonly<Record<string, unknown>> & { readonly t: number; readonly event: string };

export type News =
  | { readonly type: 'hello'; readonly runs: string | null; readonly call_page: boolean }
  | { readonly type: 'agents'; readonly agents: readonly Agent[]; readonly total: number }
  | { readonly type: 'calls'; readonly calls: readonly LiveCall[]; readonly under_way: number }
  | { readonly type: 'frames'; readonly room: string; readonly start: number; readonly frames: readonly Frame[] }
  | { readonly type: 'runs'; readonly runs: readonly Run[] }
  | { readonly type: 'run_calls'; readonly run: string; readonly calls: readonly RunCall[]; readonly total: number }
  | {
      readonly type: 'timeline';
      readonly run: string;
      readonly call: string;
      readonly start: number;
      readonly events: readonly TimelineEvent[];
    }
  | { readonly type: 'problem'; readonly what: string };

export type Message = News & { readonly now_ms: number };

/** What the page looks at. */
export interface Look {
  readonly watch: string | null;
  readonly run: string | null;
  readonly follow: readonly [run: string, call: string] | null;
}

export const LOOKS_AT_NOTHING: Look = { watch: null, run: null, follow: null };

const TYPES: readonly string[] = [
  'hello',
  'agents',
  'calls',
  'frames',
  'runs',
  'run_calls',
  'timeline',
  'problem',
] satisfies News['type'][];

/** The message in a text of the stack; null for one of another version, say. */
export function messageIn(text: string): Message | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  const type = typeof message === 'object' && message !== null ? (message as Record<string, unknown>).type : null;
  // Page and stack are of one build: past its type, a message is taken at its word.
  return typeof type === 'string' && TYPES.includes(type) ? (message as Message) : null;
}
