/** Formats numbers as harness/report/numbers.py does: rounded to their precision, always with the unit. */
import type { Unit } from './metrics';

export const MISSING = '–';
const SPACE = '\u00a0';

type Value = number | null | undefined;

/** `1,234`, or `3.2` below ten: milliseconds without their unit. */
export function milliseconds(value: Value): string {
  if (value == null) return MISSING;
  return Math.abs(value) >= 9.95 ? whole(value) : fixed(value, 1);
}

/** `1,234 ms`. */
export function withMs(value: Value): string {
  return value == null ? MISSING : milliseconds(value) + SPACE + 'ms';
}

/** Milliseconds in seconds: `12.3 s`, or `2 min 05 s` from a minute on. */
export function seconds(valueMs: Value): string {
  if (valueMs == null) return MISSING;
  if (Math.abs(valueMs) < 59_950) return fixed(valueMs / 1000, 1) + SPACE + 's';
  const total = Number(fixed(valueMs / 1000, 0));
  const minutes = Math.floor(total / 60);
  return `${minutes}${SPACE}min${SPACE}${String(total - minutes * 60).padStart(2, '0')}${SPACE}s`;
}

/** A word error rate: `0.125`. */
export function wer(value: Value): string {
  return value == null ? MISSING : fixed(value, 3);
}

/** `4.0 %`; below 0.95 % two significant digits (`0.042 %`), so that a small share is not shown as none. */
export function percent(value: Value): string {
  if (value == null) return MISSING;
  const shown = value * 100;
  const size = Math.abs(shown);
  return (size >= 0.001 && size < 0.95 ? String(Number(shown.toPrecision(2))) : fixed(shown, 1)) + SPACE + '%';
}

/** `-23.4 dBFS`. */
export function level(value: Value): string {
  return value == null ? MISSING : fixed(value, 1) + SPACE + 'dBFS';
}

/** A metric's value in a table: milliseconds without their unit, ratios and levels as usual. */
export function metricValue(unit: Unit, value: Value): string {
  return FORMATS[unit](value);
}

/** A metric's value in a sentence, with its unit. */
export function withUnit(unit: Unit, value: Value): string {
  return unit === 'ms' ? withMs(value) : metricValue(unit, value);
}

/** At most four significant digits: `1.5`, `0.1429`. */
function significant(value: Value): string {
  return value == null ? MISSING : String(Number(value.toPrecision(4)));
}

/** A number of unknown unit: at most four significant digits, `12,340`. */
export function plain(value: Value): string {
  const [before = '', ...after] = significant(value).split('.');
  return [before.replace(/\B(?=(\d{3})+$)/g, ','), ...after].join('.');
}

const FORMATS: Record<Unit, (value: Value) => string> = { ms: milliseconds, percent, ratio: wer, dBFS: level, none: significant };

/** `12,345`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 call`, `3 calls`; only for nouns with a plural in -s. */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** `2026-11-24 10:15:00 UTC`, or the text unchanged if it is not a time. */
export function timeOfDay(started: string): string {
  const at = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(started) ? started : `${started}Z`);
  return Number.isNaN(at) ? started : new Date(at).toISOString().slice(0, 19).replace('T', ' ') + ' UTC';
}

function whole(value: number): string {
  const text = fixed(value, 0);
  return text.startsWith('-') ? '-' + count(Number(text.slice(1))) : count(Number(text));
}

/** With this many decimals. A tie goes to the even digit, as in Python; `toFixed` alone takes the larger one. */
function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  const exact = Math.abs(value).toFixed(20);
  const beyond = exact.slice(exact.indexOf('.') + 1 + digits);
  if (!/^50*$/.test(beyond)) return text;
  const below = exact.slice(0, exact.length - beyond.length).replace(/\.$/, '');
  const isEven = Number(below.at(-1)) % 2 === 0;
  return isEven ? (value < 0 ? '-' : '') + below : text;
}
