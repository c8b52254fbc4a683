import { describe, expect, test } from 'vitest';
import { chosen, EVERYTHING, isIn, listed, type Wanted } from '../src/calls/filter';
import { call, nothing, turn } from './made';

const shown = { ...nothing, calls: { b: { doubted: [{ turn: 1, unfit: ['a packet left late'] }] } } };
const all = listed(
  [
    call('a', { turns: [turn(1, { ttfa_ms: 900, reply: 'We open at NINE.' })], duration_ms: 5000 }),
    call('b', { turns: [turn(1, { ttfa_ms: 2000, transcript: 'when do you hope' })], duration_ms: 4000, recording: 'audio/b.wav' }),
    call('c', { ok: false, failure: 'agent.no_reply', failures: [{ kind: 'agent.no_reply', what: 'no voice within 15 s' }], scenario: 'other' }),
    call('d', { ok: null, cut: true, turns: [turn(1, { ttfa_ms: 100, tool_calls: [{ name: 'find_parking' }] })], duration_ms: 9000 }),
  ],
  shown,
);
const ids = (wanted: Partial<Wanted>) => chosen(all, { ...EVERYTHING, ...wanted }).map((each) => each.call.call).join('');

describe('searching', () => {
  test('finds words in ids, outcomes, texts, failures and tools, whatever their case', () => {
    expect(ids({ words: 'nine' })).toBe('a');
    expect(ids({ words: 'NO_REPLY' })).toBe('c');
    expect(ids({ words: 'within 15' })).toBe('c');
    expect(ids({ words: 'parking' })).toBe('d');
    expect(ids({ words: 'cut short' })).toBe('d');
  });

  test('wants all words, and takes blanks for nothing', () => {
    expect(ids({ words: 'when hope' })).toBe('b');
    expect(ids({ words: 'nine hope' })).toBe('');
    expect(ids({ words: '  ' })).toBe('abcd');
  });

  test('takes what looks like a pattern as text', () => {
    expect(ids({ words: '.*' })).toBe('');
    expect(ids({ words: '(' })).toBe('');
  });
});

test('groups and scenarios narrow the list', () => {
  expect(ids({ group: 'failed' })).toBe('c');
  expect(ids({ group: 'doubted' })).toBe('b');
  expect(ids({ group: 'recorded' })).toBe('b');
  expect(ids({ scenario: 'other' })).toBe('c');
  expect(ids({ scenario: 'smoke', words: 'open' })).toBe('abd');
  expect(all.filter((each) => isIn('all', each))).toHaveLength(4);
});

test('an order can be turned round, and calls without a value stay last', () => {
  expect(ids({ order: 'slowest' })).toBe('dabc');
  expect(ids({ order: 'slowest', down: true })).toBe('badc');
  expect(ids({ order: 'duration', down: true })).toBe('dabc');
  expect(ids({ order: 'result' })).toBe('cdba');
  expect(ids({ order: 'call', down: true })).toBe('dcba');
});
