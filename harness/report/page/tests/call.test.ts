import { describe, expect, test } from 'vitest';
import { outcomeState, stateOf } from '../src/calls/state';
import { bandsOf, clock, itemAt, secondsAt, ticksOf, xOf, type View } from '../src/call/layout';
import { largest } from '../src/call/peaks';
import { besideOf } from '../src/call/beside';
import { stepsOf } from '../src/call/steps';
import { timelineOf } from '../src/call/timeline';
import { changes } from '../src/call/words';
import { rowsInView } from '../src/calls/window';
import { withMs } from '../src/numbers';
import { linkTo, routeOf } from '../src/route';
import type { CallResult, ComparisonRow, Document } from '../src/document';
import { call, turn } from './made';

describe('the outcome of a call', () => {
  test('names the failure and counts the expectations', () => {
    const failed = { expect: 'ttfa', limit: '<2s', outcome: 'failed' } as const;
    expect(stateOf(call('a'), undefined).words).toBe('ok');
    expect(stateOf(call('a', { ok: null }), undefined).words).toBe('cut short');
    expect(stateOf(call('a', { ok: false }), undefined).words).toBe('failed');
    const both = call('a', { ok: false, failure: 'agent.left', turns: [turn(1, { expectations: [failed] })], waits: [{ after_turn: 1, expectations: [failed] }] });
    expect(stateOf(both, undefined).words).toBe('agent.left, 2 expectations failed');
    expect(stateOf(both, { repeated_as: 'b' }).words).toBe('repeated as b');
  });

  test('is never told by colour alone', () => {
    expect(new Set((['held', 'failed', 'undecided'] as const).map((each) => outcomeState(each).sign)).size).toBe(3);
  });
});

describe('the time line', () => {
  const spoken = call('a', {
    greeting: { ttfa_ms: 911.2, onset_ms: 873.4 },
    caller_voice: [[4412, 6188]],
    agent_voice: [[7291.4, 9400]],
    turns: [
      turn(1, { started_ms: 4370, ended_ms: 10_900, caller_end_ms: 6188, agent_onset_ms: 7291.4, ttfa_ms: 1103.4, transcript_ms: 640.2 }),
      turn(2, { kind: 'type', started_ms: 10_900, caller_start_ms: 10_902, ttfa_ms: 812, echo_ms: 9.4, tool_calls: [{ name: 'find', ms: 84, at_ms: 11_105 }] }),
      turn(3, { kind: 'barge_in', started_ms: 11_700, caller_start_ms: 12_514, caller_end_ms: 14_900, exercised: true, stop_ms: 412 }),
    ],
    failures: [{ kind: 'room.lost', what: 'the connection was lost', at_ms: 21_500 }],
    own: { lag_ms: [1, 134, 2] },
  });
  const { items, startMs, endMs } = timelineOf(spoken, { doubted: [{ turn: 1, unfit: ['a packet left 132 ms late'] }] }, undefined);
  const titles = items.map((item) => item.title.replaceAll('\u00a0', ' '));
  const find = (kind: string) => items.filter((item) => item.kind === kind);

  test('has every delay as a span from where it counts', () => {
    expect(find('ttfa').map((item) => [item.fromMs, item.untilMs])).toEqual([[873.4 - 911.2, 873.4], [6188, 6188 + 1103.4], [10_902, 11_714]]);
    expect(find('stop').map((item) => [item.fromMs, item.untilMs])).toEqual([[12_514, 12_926]]);
    expect(titles).toContain('turn 1: TTFA: 1,103 ms');
    expect(titles).toContain('turn 3: agent stopped after: 412 ms');
  });

  test('has voices, onsets, texts, tool calls, failures and our own lateness', () => {
    expect(find('voice').map((item) => item.lane)).toEqual(['caller', 'agent']);
    expect(find('onset').map((item) => item.fromMs)).toEqual([873.4, 7291.4]);
    expect(find('tool').map((item) => [item.fromMs, item.untilMs])).toEqual([[11_021, 11_105]]);
    expect(find('failure')).toHaveLength(1);
    expect(find('lag').map((item) => [item.fromMs, item.bad])).toEqual([[1000, true]]);
    expect(titles).toContain('turn 2: echo after 9.4 ms');
  });

  test('begins with what came before the call was connected and shades what is in no percentile', () => {
    expect(startMs).toBeCloseTo(-37.8);
    expect(endMs).toBeGreaterThan(21_500);
    expect(find('unfit').map((item) => [item.fromMs, item.untilMs])).toEqual([[4370, 10_900]]);
  });

  test('shows the data frames of a call with details', () => {
    const events = [
      { at_ms: 100, event: 'text', fields: { role: 'reply', text: 'Hello' } },
      { at_ms: 200, event: 'text.junk', fields: { why: 'no JSON' } },
      { at_ms: 300, event: 'room.connected' },
    ];
    const made = timelineOf(call('a'), undefined, { call: 'a', events });
    expect(made.items.map((item) => item.title)).toEqual(['frame (reply): Hello', 'ignored frame: no JSON']);
  });

  test('lanes that are not used are left out', () => {
    expect(bandsOf(items).bands.map((band) => band.lane)).toEqual(['turns', 'caller', 'delays', 'agent', 'stops', 'texts', 'tools', 'own']);
    expect(bandsOf([]).bands.map((band) => band.lane)).toEqual(['turns', 'caller', 'delays', 'agent']);
  });

  test('the shortest item under the pointer is found', () => {
    const view: View = { fromS: 0, pxPerS: 100, widthPx: 1000 };
    const { bands } = bandsOf(items);
    const agent = bands.find((band) => band.lane === 'agent');
    const at = (s: number) => itemAt(xOf(s * 1000, view), (agent?.top ?? 0) + 10, items, bands, view)?.kind;
    expect(at(7.2914)).toBe('onset');
    expect(at(8.5)).toBe('voice');
    expect(at(5)).toBeUndefined();
  });
});

describe('the axis', () => {
  test('times and places are each the other turned round', () => {
    const view: View = { fromS: -0.5, pxPerS: 37, widthPx: 800 };
    expect(secondsAt(xOf(12_345, view), view)).toBeCloseTo(12.345);
  });

  test.each([[2, '0 s,1:00,2:00'], [100, '0 s,1 s,2 s'], [2000, '0.00 s,0.05 s,0.10 s']])('at %d px a second it has %s', (pxPerS, labels) => {
    expect(ticksOf({ fromS: 0, pxPerS, widthPx: 260 }).slice(0, 3).map((tick) => tick.label).join(',')).toBe(labels);
  });

  test('minutes are told as such', () => {
    expect([clock(59, 1), clock(60, 1), clock(125.5, 0.5), clock(-0.5, 0.5)]).toEqual(['59 s', '1:00', '2:05.5', '-0.5 s']);
  });
});

test('peaks are never missed, however far out the view is', () => {
  const peaks = new Uint8Array(1000);
  peaks[777] = 255;
  const columns = Array.from({ length: 10 }, (_, at) => largest(peaks, 100, at, at + 1));
  expect(columns.indexOf(1)).toBe(7);
  expect(largest(peaks, 100, 7.771, 7.772)).toBe(1);
  expect(largest(peaks, 100, 50, 51)).toBe(0);
});

describe('the difference between said and heard', () => {
  const words = (said: string, heard: string) => changes(said, heard).map((each) => `${each.kind}: ${each.words}`);

  test('is told word by word', () => {
    expect(words('one more thing are dogs allowed', 'one more thing are dogs aloud')).toEqual(['same: one more thing are dogs', 'said: allowed', 'heard: aloud']);
    expect(words('', 'hello there')).toEqual(['heard: hello there']);
    expect(words('a b c', 'a c')).toEqual(['same: a', 'said: b', 'same: c']);
  });

  test('is nothing where there is none, or where the texts are too long', () => {
    expect(words('a  b', 'a b')).toEqual([]);
    expect(words('a '.repeat(700), 'b')).toEqual([]);
  });
});

test('steps come in the order of the call, waits after their turns', () => {
  const made = call('a', { greeting: {}, turns: [turn(1), turn(2)], waits: [{ after_turn: 0 }, { after_turn: 1 }, { after_turn: 9 }] });
  expect(stepsOf(made, []).map((step) => step.heading)).toEqual(['Greeting', 'Wait', 'Turn 1', 'Wait', 'Turn 2', 'Wait']);
});

test('a step says why it is in no percentile', () => {
  const [step] = stepsOf(call('a', { turns: [turn(1, { interrupted: true })] }), [{ turn: 1, unfit: ['late'], doubtful: ['whose?'] }]);
  expect(step?.remarks.map((remark) => `${remark.state.words}: ${remark.words}`)).toEqual([
    "interrupted: the agent started before the caller's end, so there is no TTFA",
    'unfit: late; left out of the percentiles',
    'doubtful: whose?; left out of the percentiles',
  ]);
});

test('a link leads to the moment that it names, whatever the name of the call', () => {
  expect(routeOf(linkTo('0001-smoke', 12.345))).toEqual({ call: '0001-smoke', t: 12.35 });
  expect(routeOf(linkTo('a b#&c=<d>', 0))).toEqual({ call: 'a b#&c=<d>', t: 0 });
  expect(routeOf(linkTo('x'))).toEqual({ call: 'x', t: null });
  expect(routeOf('#calls')).toEqual({ call: null, t: null });
  expect(routeOf('#call=x&t=soon')).toEqual({ call: 'x', t: null });
});

test('of a long list only the rows in view are drawn, and some around them', () => {
  expect(rowsInView(1000, 34, 3400, 340, 5)).toEqual({ from: 95, until: 115 });
  expect(rowsInView(3, 34, 0, 340)).toEqual({ from: 0, until: 3 });
  expect(rowsInView(0, 34, 9999, 340)).toEqual({ from: 0, until: 0 });
});

describe('what a run is compared with stands beside a call', () => {
  const made = (block: number, side: 'baseline' | 'run', more: Partial<CallResult> = {}) =>
    call(`${side}-${block}`, { side, block, turns: [turn(1, { ttfa_ms: side === 'run' ? 1120 : 812, reply: `${side} replies` })], ...more });
  const shown = (calls: CallResult[], rows: ComparisonRow[] = []): Document =>
    ({ published: { calls }, comparison: { verdict: 'regression', baseline: 'v1', rows } }) as unknown as Document;
  const row = { scenario: 'smoke', metric: 'turn.ttfa', turn: 1, baseline: '812 ms' } as ComparisonRow;

  test('the call of the same block, if two versions were called in turns', () => {
    const own = made(3, 'run');
    const replaced = made(3, 'baseline', { call: 'first' });
    const other = made(3, 'baseline', { retry_of: 'first' });
    const found = besideOf(shown([own, replaced, made(2, 'baseline'), other]), own);
    expect(found).toEqual({
      name: 'baseline', call: 'baseline-3', replies: { 'turn-1': 'baseline replies' }, values: { 'turn-1': { 'turn.ttfa': withMs(812) } },
    });
    expect(besideOf(shown([own, other]), other)).toMatchObject({ name: 'run', call: 'run-3' });
  });

  test('the means of a stored baseline', () => {
    const rows = [row, { ...row, metric: 'greeting.ttfa', turn: null, baseline: '400 ms' }, { ...row, scenario: 'other', baseline: '1 ms' }, { ...row, turn: null }];
    expect(besideOf(shown([call('a')], rows), call('a'))).toEqual({
      name: 'baseline', call: null, replies: {}, values: { 'turn-1': { 'turn.ttfa': '812 ms' }, greeting: { 'greeting.ttfa': '400 ms' } },
    });
  });

  test('nothing, if it is not compared', () => {
    expect(besideOf({ ...shown([call('a')]), comparison: null }, call('a'))).toBeNull();
  });
});
