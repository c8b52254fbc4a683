/** What is on the time line of a call, in milliseconds: who spoke, what was measured, what came and went. */
import type { CallResult, DetailedCall, EventSeen, ShownCall, TurnResult } from '../document';
import { seconds, withMs } from '../numbers';

export type Lane = 'turns' | 'caller' | 'delays' | 'agent' | 'stops' | 'texts' | 'tools' | 'own';
export type Kind =
  | 'turn' | 'voice' | 'ttfa' | 'stop' | 'typed' | 'barge' | 'onset' | 'transcript' | 'echo' | 'reply' | 'frame' | 'junk'
  | 'tool' | 'failure' | 'unfit' | 'doubtful' | 'lag' | 'late';

/** Something in a lane, from one moment to another; a mark if both are the same. */
export interface Item {
  lane: Lane;
  kind: Kind;
  fromMs: number;
  untilMs: number;
  /** What is written on it, if there is room. */
  label: string;
  /** What it is, in words. */
  title: string;
  bad?: boolean;
}

export interface Timeline {
  startMs: number;
  endMs: number;
  items: Item[];
}

/** The time from which a turn's delays count: the caller's voiced end, or when the text was sent. */
export function saidMs(turn: TurnResult): number | null {
  if (turn.caller_end_ms != null) return turn.caller_end_ms;
  return turn.kind === 'type' ? (turn.caller_start_ms ?? turn.started_ms ?? null) : null;
}

const MARGIN = 1.01; // what lies at the very end is seen

export function timelineOf(call: CallResult, shown: ShownCall | undefined, detail: DetailedCall | undefined): Timeline {
  const items = [
    ...voices(call),
    ...greetingOf(call),
    ...(call.turns ?? []).flatMap(turnItems),
    ...doubts(call, shown),
    ...tools(call),
    ...(call.failures ?? []).flatMap((seen): Item[] =>
      seen.at_ms == null ? [] : [mark('agent', 'failure', seen.at_ms, '✕', `${seen.kind} at ${seconds(seen.at_ms)}: ${seen.what}`)],
    ),
    ...(detail?.events ?? []).flatMap(eventItems),
    ...ownLateness(call),
  ];
  const soundMs = (detail?.sound?.duration_s ?? 0) * 1000;
  const ends = [soundMs, ...items.map((item) => item.untilMs), ...(call.turns ?? []).map((turn) => turn.ended_ms ?? 0)];
  const starts = items.map((item) => item.fromMs);
  return { startMs: Math.min(0, ...starts), endMs: Math.max(1000, ...ends) * MARGIN, items };
}

function mark(lane: Lane, kind: Kind, atMs: number, label: string, title: string): Item {
  return { lane, kind, fromMs: atMs, untilMs: atMs, label, title };
}

function voices(call: CallResult): Item[] {
  const of = (lane: 'caller' | 'agent', spans: [number, number][] = []) =>
    spans.map(([fromMs, untilMs]): Item => ({
      lane, kind: 'voice', fromMs, untilMs, label: '', title: `${lane} speaks, ${seconds(fromMs)} to ${seconds(untilMs)} (${withMs(untilMs - fromMs)})`,
    }));
  return [...of('caller', call.caller_voice), ...of('agent', call.agent_voice)];
}

function greetingOf(call: CallResult): Item[] {
  const { ttfa_ms: ttfa, onset_ms: onset } = call.greeting ?? {};
  if (ttfa == null || onset == null) return [];
  return [
    delay('delays', 'ttfa', onset - ttfa, ttfa, 'greeting, from our join request'),
    mark('agent', 'onset', onset, '', `greeting: onset at ${seconds(onset)}`),
  ];
}

function delay(lane: Lane, kind: Kind, fromMs: number, ms: number, what: string): Item {
  return { lane, kind, fromMs, untilMs: fromMs + ms, label: withMs(ms), title: `${what}: ${withMs(ms)}` };
}

function turnItems(turn: TurnResult): Item[] {
  const items: Item[] = [];
  const name = `turn ${turn.turn}`;
  const start = turn.started_ms ?? turn.caller_start_ms;
  if (start != null) {
    const untilMs = Math.max(start, turn.ended_ms ?? start);
    const bad = (turn.expectations ?? []).some((each) => each.outcome === 'failed');
    items.push({ lane: 'turns', kind: 'turn', fromMs: start, untilMs, label: String(turn.turn), title: `${name} (${turn.kind}), from ${seconds(start)}`, bad });
  }
  const said = saidMs(turn);
  if (turn.kind === 'type' && said !== null) items.push(mark('caller', 'typed', said, '▸', `${name}: typed at ${seconds(said)}`));
  if (turn.kind === 'barge_in' && turn.caller_start_ms != null) {
    const begun = turn.caller_start_ms;
    const words = turn.exercised ? 'talks over the agent' : 'barge-in not exercised: the agent was silent';
    items.push(mark('caller', 'barge', begun, '↯', `${name}: ${words}, ${seconds(begun)}`));
    if (turn.stop_ms != null) items.push(delay('stops', 'stop', begun, turn.stop_ms, `${name}: agent stopped after`));
  }
  if (turn.agent_onset_ms != null) items.push(mark('agent', 'onset', turn.agent_onset_ms, '', `${name}: onset of the reply at ${seconds(turn.agent_onset_ms)}`));
  if (said === null) return items;
  if (turn.ttfa_ms != null) items.push(delay('delays', 'ttfa', said, turn.ttfa_ms, `${name}: TTFA`));
  for (const [kind, sign, words, ms] of [
    ['transcript', 'T', 'transcript', turn.transcript_ms],
    ['echo', 'E', 'echo', turn.echo_ms],
    ['reply', 'R', 'reply text', turn.reply_text_ms],
  ] as const) {
    if (ms != null) items.push(mark('texts', kind, said + ms, sign, `${name}: ${words} after ${withMs(ms)}`));
  }
  return items;
}

/** What is in no percentile is shaded over its whole time. */
function doubts(call: CallResult, shown: ShownCall | undefined): Item[] {
  return (shown?.doubted ?? []).flatMap(({ turn: number, unfit = [], doubtful = [] }): Item[] => {
    const turn = call.turns?.find((each) => each.turn === number);
    const fromMs = number === null ? 0 : (turn?.started_ms ?? turn?.caller_start_ms);
    const untilMs = number === null ? (call.greeting?.end_ms ?? call.greeting?.onset_ms) : (turn?.ended_ms ?? turn?.agent_stop_ms);
    if (fromMs == null || untilMs == null) return [];
    const kind = unfit.length > 0 ? 'unfit' : 'doubtful';
    return [{ lane: 'turns', kind, fromMs, untilMs, label: '', title: `${kind}: ${[...unfit, ...doubtful].join('; ')}` }];
  });
}

function tools(call: CallResult): Item[] {
  return [call.greeting, ...(call.turns ?? [])].flatMap((step) =>
    (step?.tool_calls ?? []).flatMap((tool): Item[] => {
      if (tool.at_ms == null) return [];
      const took = tool.ms == null ? '' : `, took ${withMs(tool.ms)}`;
      const failed = tool.ok === false;
      return [{
        lane: 'tools', kind: 'tool', fromMs: tool.at_ms - (tool.ms ?? 0), untilMs: tool.at_ms, label: tool.name, bad: failed,
        title: `tool ${tool.name}${took}${failed ? ', failed' : ''}; reported at ${seconds(tool.at_ms)}`,
      }];
    }),
  );
}

function eventItems(seen: EventSeen): Item[] {
  const text = (name: string) => {
    const value = seen.fields?.[name];
    return typeof value === 'string' ? value : '';
  };
  switch (seen.event) {
    case 'text':
      return [mark('texts', 'frame', seen.at_ms, '', `frame (${text('role')}): ${text('text')}`)];
    case 'text.junk':
    case 'agent.tool_call.junk':
      return [mark('texts', 'junk', seen.at_ms, '?', `ignored frame: ${text('why')}`)];
    case 'send.late': {
      const late = seen.fields?.late_ms;
      return [mark('own', 'late', seen.at_ms, '', `our own packet left late${typeof late === 'number' ? `, by ${withMs(late)}` : ''}`)];
    }
    default:
      return [];
  }
}

const NOTABLE_MS = 10;

/** The seconds in which our own event loop was late. */
function ownLateness(call: CallResult): Item[] {
  return (call.own?.lag_ms ?? []).flatMap((ms, second): Item[] =>
    ms < NOTABLE_MS
      ? []
      : [{ lane: 'own', kind: 'lag', fromMs: second * 1000, untilMs: (second + 1) * 1000, label: '', title: `our own event loop was late by up to ${withMs(ms)}`, bad: ms >= 100 }],
  );
}
