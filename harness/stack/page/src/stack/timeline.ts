/** A timeline as it is drawn: whose voice is when, and what happened, in words. */
import { asText } from './entries';
import type { TimelineEvent } from './protocol';

const NS_PER_S = 1e9;

export type Lane = 'caller' | 'agent';

/** A stretch of voice, in seconds from the start of the call. */
export interface Stretch {
  readonly lane: Lane;
  readonly from: number;
  /** Null while it lasts. */
  readonly to: number | null;
}

export interface Row {
  readonly at: number;
  readonly who: Lane | 'call';
  readonly what: string;
  readonly bad: boolean;
}

export interface Drawing {
  /** Seconds from the start of the call to its last event. */
  readonly length: number;
  readonly stretches: readonly Stretch[];
  /** When each turn starts. */
  readonly turns: readonly { readonly turn: number; readonly at: number }[];
  readonly rows: readonly Row[];
  readonly title: string;
  readonly room: string | null;
  readonly ended: boolean;
}

/** Draws the events of a timeline; there may be no end yet. */
export function draw(events: readonly TimelineEvent[]): Drawing {
  const start = events[0]?.t ?? 0;
  const seconds = (ns: number): number => (ns - start) / NS_PER_S;
  const started = events.find((event) => event.event === 'call.started');
  const rows = events.flatMap((event) => {
    const words = wordsOf(event);
    return words === null ? [] : [{ at: seconds(event.t), ...words }];
  });
  return {
    length: seconds(events.at(-1)?.t ?? start),
    stretches: [...callerStretches(events), ...agentStretches(events)].map(({ lane, from, to }) => ({
      lane,
      from: seconds(from),
      to: to === null ? null : seconds(to),
    })),
    turns: events
      .filter((event) => event.event === 'turn.started')
      .map((event) => ({ turn: number(event, 'turn') ?? 0, at: seconds(event.t) })),
    rows,
    title: started === undefined ? '' : `${text(started, 'scenario')}, agent ${text(started, 'agent')}`,
    room: events.map((event) => (event.event === 'session.created' ? text(event, 'room') : '')).find(Boolean) ?? null,
    ended: events.some((event) => event.event === 'call.ended'),
  };
}

function callerStretches(events: readonly TimelineEvent[]): Stretch[] {
  return events.flatMap((event) => {
    const from = number(event, 'voiced_start');
    const to = number(event, 'voiced_end');
    return event.event !== 'caller.spoke' || from === null || to === null ? [] : [{ lane: 'caller', from, to }];
  });
}

/** The agent's voice on all its tracks; what turned out to be no voice is left out. */
function agentStretches(events: readonly TimelineEvent[]): Stretch[] {
  const stretches: Stretch[] = [];
  const onsets = new Map<string, number>();
  for (const event of events) {
    const track = text(event, 'track');
    if (event.event === 'agent.onset') {
      onsets.set(track, event.t);
    } else if (event.event === 'agent.end') {
      const onset = onsets.get(track);
      onsets.delete(track);
      // Where `began` is left out it is the onset; null: it was noise.
      const from = 'began' in event ? number(event, 'began') : (onset ?? null);
      if (from !== null && event.sound !== true) {
        stretches.push({ lane: 'agent', from, to: event.t });
      }
    }
  }
  onsets.forEach((from) => stretches.push({ lane: 'agent', from, to: null }));
  return stretches;
}

type Words = Omit<Row, 'at'>;

function call(what: string, bad = false): Words {
  return { who: 'call', what, bad };
}

/** What an event says to a person; null for one that says nothing beyond the drawing. */
function wordsOf(event: TimelineEvent): Words | null {
  const of = (name: string): string => text(event, name);
  switch (event.event) {
    case 'call.started':
      return call(`Call ${of('call')} starts: ${of('scenario')}, agent ${of('agent')}`);
    case 'session.created':
      return call('Session created');
    case 'room.connected':
      return call('Room joined');
    case 'agent.joined':
      return call(`${of('identity')} is heard`);
    case 'agent.handover':
      return call(`${of('identity')} hands over to ${of('to')}`);
    case 'agent.left':
      return call('The agent has left', true);
    case 'agent.hung_up':
      return call('The agent has hung up');
    case 'room.reconnecting':
      return call(`Connection lost${of('why') === '' ? '' : `: ${of('why')}`}`, true);
    case 'room.reconnected':
      return call('Connection restored');
    case 'greeting.ended':
      return call(of('why') === 'heard' ? 'The greeting has ended' : `No more waiting for the greeting (${of('why')})`);
    case 'turn.started':
      return { who: 'caller', what: turnWords(event), bad: false };
    case 'barge_in':
      return { who: 'caller', what: 'Barges in', bad: false };
    case 'turn.ended':
      return call(`Turn ${of('turn')} ends: ${of('why').replaceAll('_', ' ')}`, BAD_ENDS.includes(of('why')));
    case 'wait.started':
      return call('Waits');
    case 'text':
      return textWords(event);
    case 'text.junk':
      return call('A frame was ignored');
    case 'agent.tool_call':
      return {
        who: 'agent',
        what: `Tool ${of('name')}(${asText(event.arguments)}): ${asText(event.result)}`,
        bad: event.ok === false,
      };
    case 'failure':
      return call(`${of('kind')}: ${of('what')}`, true);
    case 'cut':
      return call('Cut short by the harness', true);
    case 'hung_up':
      return call('The caller hangs up');
    case 'call.ended':
      return call('Call ended');
    default:
      return null;
  }
}

const BAD_ENDS = ['no_reply', 'failed', 'cut'];

function turnWords(event: TimelineEvent): string {
  const said = text(event, 'text') || text(event, 'fixture');
  const how = { say: 'says', type: 'types', barge_in: 'says over the agent' }[text(event, 'kind')] ?? '';
  return `Turn ${text(event, 'turn')}, ${how}: ${said}`;
}

function textWords(event: TimelineEvent): Words {
  const said = text(event, 'text');
  switch (text(event, 'role')) {
    case 'echo':
      return { who: 'caller', what: `Echo: ${said}`, bad: false };
    case 'transcript':
      return { who: 'caller', what: `Transcript: ${said}`, bad: false };
    default:
      return { who: 'agent', what: said, bad: false };
  }
}

function text(event: TimelineEvent, name: string): string {
  const value = event[name];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function number(event: TimelineEvent, name: string): number | null {
  const value = event[name];
  return typeof value === 'number' ? value : null;
}
