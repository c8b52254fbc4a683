import { beforeEach, expect, it, vi } from 'vitest';

import { connectToStack, type Stack } from '../src/stack/connection';
import { LOOKS_AT_NOTHING } from '../src/stack/protocol';
import { FakeSocket, lastSocket, openFake } from './fake-socket';

const logIn = vi.fn(() => Promise.resolve());
const FRAME = { topic: 'voice.reply', at_ms: 1, payload: { type: 'agent_text', text: 'Hello.' } };

beforeEach(() => {
  FakeSocket.all = [];
  logIn.mockClear();
  vi.useRealTimers();
});

function connected(): Stack {
  const stack = connectToStack({ open: openFake, now: () => 1000, logIn });
  lastSocket().opens();
  lastSocket().tells({ type: 'hello', runs: 'reports', call_page: true, now_ms: 4000 });
  return stack;
}

it('follows the stack by one socket of its own origin, and knows how their clocks differ', () => {
  const stack = connected();
  expect(lastSocket().url).toBe('ws://localhost:3000/stack/live');
  expect(stack.snapshot()).toMatchObject({
    connection: 'connected',
    runsFolder: 'reports',
    callPage: true,
    clockOffset: 3000,
  });
});

it('says what it looks at once, and only what has changed', () => {
  const stack = connected();
  stack.look({ ...LOOKS_AT_NOTHING, watch: 'call-1' });
  stack.look({ ...LOOKS_AT_NOTHING, watch: 'call-1' });
  stack.look({ ...LOOKS_AT_NOTHING, run: 'a', follow: ['a', '0001-x'] });
  expect(lastSocket().sent).toEqual([{ watch: 'call-1' }, { watch: null, run: 'a', follow: ['a', '0001-x'] }]);
});

it('adds frames from the number that is told, and drops those of a call that is not looked at', () => {
  const stack = connected();
  stack.look({ ...LOOKS_AT_NOTHING, watch: 'call-1' });
  lastSocket().tells({ type: 'frames', room: 'call-1', start: 0, frames: [FRAME, FRAME] });
  lastSocket().tells({ type: 'frames', room: 'call-1', start: 1, frames: [FRAME, FRAME] });
  expect(stack.snapshot().conversation?.frames).toHaveLength(3);
  stack.look({ ...LOOKS_AT_NOTHING, watch: 'call-2' });
  expect(stack.snapshot().conversation).toBeNull();
  lastSocket().tells({ type: 'frames', room: 'call-2', start: 0, frames: [FRAME] });
  expect(stack.snapshot().conversation).toMatchObject({ room: 'call-2', frames: [FRAME] });
});

it('connects again when the stack is gone, asks for the password where that is due, and looks at the same', () => {
  vi.useFakeTimers();
  const stack = connected();
  stack.look({ ...LOOKS_AT_NOTHING, watch: 'call-1' });
  lastSocket().closes();
  expect(stack.snapshot().connection).toBe('lost');
  expect(logIn).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(500);
  lastSocket().closes();
  vi.advanceTimersByTime(500); // it waits twice as long now
  expect(FakeSocket.all).toHaveLength(2);
  vi.advanceTimersByTime(500);
  expect(FakeSocket.all).toHaveLength(3);
  lastSocket().opens();
  expect(lastSocket().sent).toEqual([{ watch: 'call-1' }]);
});

it('ignores what it does not understand', () => {
  const stack = connected();
  const before = stack.snapshot();
  lastSocket().dispatchEvent(new MessageEvent('message', { data: 'no JSON' }));
  lastSocket().tells({ type: 'of a later version' });
  expect(stack.snapshot()).toBe(before);
});
