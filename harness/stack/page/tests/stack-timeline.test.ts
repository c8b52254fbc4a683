import { expect, it } from 'vitest';

import { entriesOf } from '../src/stack/entries';
import type { TimelineEvent } from '../src/stack/protocol';
import { lookFor, selectionIn, withSelection } from '../src/stack/selection';
import { draw } from '../src/stack/timeline';
import { length } from '../src/stack/times';

const S = 1e9;
const START = 7e15;
const at = (seconds: number, event: string, fields: Record<string, unknown> = {}): TimelineEvent => ({
  t: START + seconds * S,
  event,
  ...fields,
});

it('draws voices from the start of the call, one that lasts without an end, and no noise', () => {
  const drawing = draw([
    at(0, 'call.started', { call: '0001-x', scenario: 'x', agent: 'demo' }),
    at(0.1, 'session.created', { room: 'call-1' }),
    at(1, 'agent.onset', { track: 'a' }),
    at(2, 'agent.end', { track: 'a', began: START + 0.9 * S }),
    at(2.5, 'agent.onset', { track: 'a' }),
    at(2.6, 'agent.end', { track: 'a', began: null }),
    at(2.7, 'agent.onset', { track: 'a' }),
    at(2.9, 'agent.end', { track: 'a', sound: true }),
    at(3, 'turn.started', { turn: 1, kind: 'say', text: 'Hello?' }),
    at(4, 'caller.spoke', { turn: 1, voiced_start: START + 3.1 * S, voiced_end: START + 3.9 * S }),
    at(5, 'agent.onset', { track: 'a' }),
  ]);
  expect(drawing.stretches.map(({ lane, from, to }) => [lane, from, to])).toEqual([
    ['caller', 3.1, 3.9],
    ['agent', 0.9, 2],
    ['agent', 5, null],
  ]);
  expect(drawing).toMatchObject({ length: 5, room: 'call-1', ended: false, title: 'x, agent demo' });
  expect(drawing.turns).toEqual([{ turn: 1, at: 3 }]);
});

it('says in words what happened, and marks what is bad', () => {
  const { rows, ended } = draw([
    at(0, 'call.started', { call: '0001-x', scenario: 'x', agent: 'demo' }),
    at(1, 'text', { role: 'transcript', text: 'Hello?' }),
    at(2, 'text', { role: 'reply', text: 'Hello.' }),
    at(3, 'agent.tool_call', { name: 'look', arguments: { day: 1 }, result: 'free', ok: false }),
    at(4, 'failure', { kind: 'agent.no_reply', what: 'no reply came' }),
    at(5, 'an.event.of.later'),
    at(6, 'call.ended'),
  ]);
  expect(rows.map(({ at: when, who, what, bad }) => [when, who, what, bad])).toEqual([
    [0, 'call', 'Call 0001-x starts: x, agent demo', false],
    [1, 'caller', 'Transcript: Hello?', false],
    [2, 'agent', 'Hello.', false],
    [3, 'agent', 'Tool look({"day":1}): free', true],
    [4, 'call', 'agent.no_reply: no reply came', true],
    [6, 'call', 'Call ended', false],
  ]);
  expect(ended).toBe(true);
});

it('draws nothing of nothing', () => {
  expect(draw([])).toMatchObject({ length: 0, rows: [], stretches: [], room: null });
});

it('reads a conversation from frames as the call page does, with the tools that are called', () => {
  const reply = (payload: Record<string, unknown>) => ({ topic: 'voice.reply', at_ms: 5, payload });
  const tool = { name: 'tables', arguments: { table: 4 }, result: 'free', ms: 12.4, ok: true };
  expect(
    entriesOf([
      reply({ type: 'user_text', text: ' Hello? ' }),
      reply({ type: 'agent_text', message: 'Hello.' }),
      reply({ type: 'agent_text', text: ' ' }),
      { topic: 'voice.tool_call', at_ms: 6, payload: tool },
      { topic: 'another', at_ms: 7, payload: tool },
    ]),
  ).toEqual([
    { kind: 'user', text: 'Hello?', atMs: 5 },
    { kind: 'agent', text: 'Hello.', atMs: 5 },
    { kind: 'tool', name: 'tables', args: '{"table":4}', result: 'free', ok: true, tookMs: 12.4, atMs: 6 },
  ]);
});

it.each([
  { kind: 'none' } as const,
  { kind: 'call', room: 'call-1' } as const,
  { kind: 'run', run: '20261127 #&=', call: null } as const,
  { kind: 'run', run: 'a', call: '0001-x' } as const,
])('keeps what is chosen in the address', (selection) => {
  expect(selectionIn(withSelection(selection))).toEqual(selection);
});

it('looks at a timeline only where a call of a run is chosen', () => {
  expect(lookFor({ kind: 'run', run: 'a', call: null })).toEqual({ watch: null, run: 'a', follow: null });
});

it.each([
  [-5, '0:00'],
  [7_900, '0:07'],
  [754_000, '12:34'],
  [3_723_000, '1:02:03'],
])('writes a length of time', (ms, words) => {
  expect(length(ms)).toBe(words);
});
