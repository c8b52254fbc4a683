/** Which calls the list shows, and in which order. */
import type { CallResult, Shown } from '../document';
import { isDoubted, slowestMs, stateOf } from './state';

export const GROUPS = ['all', 'failed', 'doubted', 'recorded'] as const;
export type Group = (typeof GROUPS)[number];
export const ORDERS = ['call', 'result', 'scenario', 'turns', 'slowest', 'duration'] as const;
export type Order = (typeof ORDERS)[number];

export interface Wanted {
  /** Words that all must be in the call: its id, its outcome, its texts. */
  words: string;
  group: Group;
  /** A scenario; empty for all. */
  scenario: string;
  order: Order;
  /** Whether the order is reversed. */
  down: boolean;
}

export const EVERYTHING: Wanted = { words: '', group: 'all', scenario: '', order: 'call', down: false };

/** A call with what is needed to find and to order it. */
export interface Listed {
  call: CallResult;
  /** Its position among all calls. */
  index: number;
  failed: boolean;
  doubted: boolean;
  slowestMs: number | null;
  /** Its outcome, in words. */
  outcome: string;
}

export function listed(calls: readonly CallResult[], shown: Shown): Listed[] {
  return calls.map((call, index) => ({
    call,
    index,
    failed: call.ok === false,
    doubted: isDoubted(shown.calls?.[call.call]),
    slowestMs: slowestMs(call),
    outcome: stateOf(call, shown.calls?.[call.call]).words,
  }));
}

export function isIn(group: Group, each: Listed): boolean {
  switch (group) {
    case 'all':
      return true;
    case 'failed':
      return each.failed;
    case 'doubted':
      return each.doubted;
    case 'recorded':
      return each.call.recording != null;
  }
}

/** The calls that are wanted, in order. Calls without a value come last, whatever the direction. */
export function chosen(all: readonly Listed[], wanted: Wanted): Listed[] {
  const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter(
    (each) =>
      isIn(wanted.group, each) &&
      (wanted.scenario === '' || each.call.scenario === wanted.scenario) &&
      words.every((word) => textOf(each).includes(word)),
  );
  const key = KEYS[wanted.order];
  const sign = wanted.down ? -1 : 1;
  return found.sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || a.index - b.index;
    return left === right ? a.index - b.index : left < right ? -sign : sign;
  });
}

const KEYS: Record<Order, (each: Listed) => number | string | null> = {
  call: (each) => each.index,
  result: (each) => (each.failed ? 0 : each.call.ok === null ? 1 : each.doubted ? 2 : 3),
  scenario: (each) => each.call.scenario,
  turns: (each) => (each.call.turns ?? []).length,
  slowest: (each) => each.slowestMs,
  duration: (each) => each.call.duration_ms ?? 0,
};

const texts = new WeakMap<Listed, string>();

/** All texts of a call in lower case, made when they are first searched. */
function textOf(each: Listed): string {
  const known = texts.get(each) ?? lowered(each);
  texts.set(each, known);
  return known;
}

function lowered({ call, outcome }: Listed): string {
  const said = (call.turns ?? []).flatMap((turn) => [turn.text, turn.transcript, turn.reply, ...toolsOf(turn)]);
  const failed = (call.failures ?? []).flatMap((seen) => [seen.kind, seen.what]);
  const all = [call.call, call.scenario, outcome, call.room, call.host, call.greeting?.reply, call.tags?.join(' ')];
  return [...all, ...said, ...failed, ...(call.notes ?? [])].filter(Boolean).join('\n').toLowerCase();
}

function toolsOf(turn: { tool_calls?: { name: string }[] }): string[] {
  return (turn.tool_calls ?? []).map((tool) => tool.name);
}
