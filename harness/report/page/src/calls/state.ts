/** The outcome of a call, in words and as a sign, so that colour is never the only cue. */
import type { CallResult, ExpectationResult, ShownCall } from '../document';
import { counted } from '../numbers';

export type Tone = 'ok' | 'bad' | 'warn' | 'quiet';

export interface State {
  sign: string;
  words: string;
  tone: Tone;
}

export function stateOf(call: CallResult, shown: ShownCall | undefined): State {
  if (shown?.repeated_as != null) return { sign: '↻', words: `repeated as ${shown.repeated_as}`, tone: 'quiet' };
  if (call.ok === null) return { sign: '■', words: 'cut short', tone: 'quiet' };
  if (call.ok) return { sign: '✓', words: 'ok', tone: 'ok' };
  const kind = call.failure ?? call.failures?.[0]?.kind;
  const failed = expectationsOf(call).filter((each) => each.outcome === 'failed').length;
  const words = [kind, failed > 0 ? `${counted(failed, 'expectation')} failed` : null].filter((each) => each != null);
  return { sign: '✗', words: words.join(', ') || 'failed', tone: 'bad' };
}

export function outcomeState(outcome: ExpectationResult['outcome']): State {
  switch (outcome) {
    case 'held':
      return { sign: '✓', words: 'held', tone: 'ok' };
    case 'failed':
      return { sign: '✗', words: 'failed', tone: 'bad' };
    case 'undecided':
      return { sign: '?', words: 'undecided', tone: 'warn' };
  }
}

/** All judged expectations of a call. */
export function expectationsOf(call: CallResult): ExpectationResult[] {
  return [call.greeting, ...(call.turns ?? []), ...(call.waits ?? [])].flatMap((step) => step?.expectations ?? []);
}

/** The longest TTFA of a call's turns; null if there is none. */
export function slowestMs(call: CallResult): number | null {
  const values = (call.turns ?? []).map((turn) => turn.ttfa_ms).filter((value) => value != null);
  return values.length > 0 ? Math.max(...values) : null;
}

/** Whether a part of the call is in no percentile: the harness was late, or it is not known whose voice was heard. */
export function isDoubted(shown: ShownCall | undefined): boolean {
  return (shown?.doubted ?? []).length > 0;
}
