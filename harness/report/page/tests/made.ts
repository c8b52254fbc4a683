/** Calls for tests. */
import type { CallResult, Shown, TurnResult } from '../src/document';

export function turn(number: number, more: Partial<TurnResult> = {}): TurnResult {
  return { turn: number, kind: 'say', text: 'When do you open?', ...more };
}

export function call(id: string, more: Partial<CallResult> = {}): CallResult {
  return { call: id, scenario: 'smoke', started: '2026-11-24T10:15:00Z', ok: true, ...more };
}

export const nothing: Shown = { headline: { sign: '✓', words: 'Passed', tone: 'ok' } };
