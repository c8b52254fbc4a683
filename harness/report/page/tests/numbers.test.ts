import { expect, test } from 'vitest';
import * as numbers from '../src/numbers';
import cases from './numbers.json';

const functions: Record<string, (value: never) => string> = numbers as never;

// The same file is held against harness/report/numbers.py by tests/report/test_shown_numbers.py.
test.each(cases as [string, number | string | null, string][])('%s(%s) is %s, as in the terminal', (name, value, shown) => {
  expect(functions[name]?.(value as never).replaceAll('\u00a0', ' ')).toBe(shown);
});

test('counts are grouped by thousands', () => {
  expect([0, 999, 1000, 1234567].map(numbers.count)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect(numbers.counted(1, 'call')).toBe('1 call');
  expect(numbers.counted(2000, 'call')).toBe('2,000 calls');
});
