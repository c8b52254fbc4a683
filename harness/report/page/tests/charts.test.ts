import { describe, expect, test } from 'vitest';
import { isMissed } from '../src/charts/capacity';
import { binsOf, cumulative, roundStep, shareUpTo } from '../src/charts/distribution';
import { nearestDot } from '../src/charts/dots';
import { onAxis, withGaps } from '../src/charts/observed';
import { limitsOn, sidesOf } from '../src/metrics';
import { nothing } from './made';

describe('a histogram', () => {
  test('counts every value once, in bins of a round width', () => {
    const { from, width, shares } = binsOf([[500, 510, 555, 599.9, 900]], 40);
    expect([from, width]).toEqual([500, 10]);
    expect(shares[0]?.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
    expect(shares[0]?.[0]).toBeCloseTo(0.2);
    expect(shares[0]?.at(-1)).toBeCloseTo(0.2);
  });

  test('lays two runs over each other in the same bins, whatever their sizes', () => {
    const { shares } = binsOf([[100, 200], [100, 100, 100, 400]], 10);
    expect(shares[0]?.length).toBe(shares[1]?.length);
    expect([shares[0]?.[0], shares[1]?.[0]]).toEqual([0.5, 0.75]);
  });

  test('is a single bar where all values are the same, and nothing where there are none', () => {
    expect(binsOf([[0, 0, 0]]).shares).toEqual([[1]]);
    expect(binsOf([[5]]).shares).toEqual([[1]]);
    expect(binsOf([[]]).shares).toEqual([[]]);
  });

  test('holds levels below zero', () => {
    const { from, shares } = binsOf([[-30, -20]], 10);
    expect(from).toBe(-30);
    expect(shares[0]?.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
  });
});

test('the cumulative share of each run is told at the points of all', () => {
  const [points, a, b] = cumulative([[1, 2, 2, 4], [3]]);
  expect(points).toEqual([1, 2, 3, 4]);
  expect(a).toEqual([0.25, 0.75, 0.75, 1]);
  expect(b).toEqual([0, 0, 1, 1]);
  expect(shareUpTo([], 3)).toBe(0);
});

test.each([[0.3, 0.5], [1, 1], [3, 5], [11, 20], [21, 25], [0.0012, 0.002]])('the step next to %f is %f', (step, round) => {
  expect(roundStep(step)).toBeCloseTo(round, 10);
});

test('a click finds the nearest dot, and none that is far away', () => {
  const place = (at: number, ms: number): [number, number] => [at * 10, ms];
  expect(nearestDot([1, 2, 3], [100, 100, 100], 21, 103, place)).toBe(1);
  expect(nearestDot([1, 2, 3], [100, 100, 100], 20, 200, place)).toBe(-1);
  expect(nearestDot([], [], 0, 0, place)).toBe(-1);
});

test('an observed series has a gap where a point is missing, and where it has no value', () => {
  expect(withGaps([[0, 1], [5, 2], [20, 3], [25, null]], 5)).toEqual([[0, 5, 10, 20, 25], [1, 2, null, 3, null]]);
  expect(withGaps([], 5)).toEqual([[], []]);
});

test.each([[0.25, '0.25'], [12_000, '12,000'], [6e9, '6e9'], [-2.5e9, '-2.5e9']])('%f fits beside an axis', (value, text) => {
  expect(onAxis(value)).toBe(text);
});

test('a point of the curve is missed where most of its fit holds were', () => {
  const point = { calls: 4, holds: 3, unfit: 0, turns: 60, ttfa_p50: 1, ttfa_p95: 2, failed: 0, wrong: 0 };
  expect([3, 2, 1, 0].map((met) => isMissed({ ...point, met }))).toEqual([false, false, true, true]);
  expect(isMissed({ ...point, met: 1, unfit: 2 })).toBe(false);
});

test('limits stand on the metric that they judge, with their tags, and only where they are values of samples', () => {
  const threshold = { value: 1, samples: 5, ok: true };
  const summary = {
    verdict: 'pass' as const, exit_code: 0, reasons: [], target: '', calls: {},
    thresholds: [
      { ...threshold, metric: 'turn.ttfa', limit: 'p(95)<2s' },
      { ...threshold, metric: 'turn.ttfa{kind:say}', limit: 'max<3s', ok: false },
      { ...threshold, metric: 'turn.ttfa', limit: 'count>5' },
      { ...threshold, metric: 'turn.wer', limit: 'avg<0.1' },
    ],
  };
  const document = {
    published: { run: { run: '', started: '', target: '', thresholds: [], scenarios: {} }, summary, calls: [] },
    shown: { ...nothing, thresholds: [{ value: '', limit: 2000 }, { value: '', limit: 3000 }, { value: '' }, { value: '', limit: 0.1 }] },
    detailed: {},
  };
  expect(limitsOn('turn.ttfa', document)).toEqual([
    { at: 2000, text: 'p(95)<2s', kind: 'held' },
    { at: 3000, text: '{kind:say} max<3s', kind: 'missed' },
  ]);
  expect(sidesOf(document)).toEqual([{ name: 'this run', metrics: {} }]);
  const other = { 'turn.ttfa': { meaning: '', unit: 'ms' as const, values: [1] } };
  const sides = sidesOf({ ...document, comparison: { verdict: 'same', baseline: 'main', metrics: other } });
  expect(sides.map((side) => side.name)).toEqual(['this run', 'baseline main']);
});
