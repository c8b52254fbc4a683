/** The same turn of the version or the baseline that a run is compared with, to show beside a call's own. */
import type { CallResult, Document } from '../document';
import { stepsOf, type Step } from './steps';

export interface Beside {
  /** The other side's name. */
  name: string;
  /** The call that was made in turns with this one; null if the other side is a stored baseline, of which only means are known. */
  call: string | null;
  /** The other side's reply, by the key of the step. */
  replies: Record<string, string>;
  /** The other side's value, by the key of the step and the fact's metric. */
  values: Record<string, Record<string, string>>;
}

export function besideOf({ published, comparison }: Document, call: CallResult): Beside | null {
  if (comparison == null) return null;
  const isBaseline = call.side === 'baseline';
  if (call.block != null) {
    const replaced = new Set(published.calls.map((each) => each.retry_of));
    const partner = published.calls.find(
      (each) => each.block === call.block && each.side !== call.side && !replaced.has(each.call),
    );
    if (partner !== undefined) return ofCall(isBaseline ? 'run' : 'baseline', partner);
  }
  return isBaseline ? null : ofBaseline(comparison.rows ?? [], call.scenario);
}

function ofCall(name: string, partner: CallResult): Beside {
  const steps = stepsOf(partner, []);
  return {
    name,
    call: partner.call,
    replies: Object.fromEntries(steps.map((step) => [step.key, step.reply])),
    values: Object.fromEntries(steps.map((step) => [step.key, valuesOf(step)])),
  };
}

function valuesOf({ facts }: Step): Record<string, string> {
  return Object.fromEntries(facts.flatMap(({ metric, value }) => (metric === undefined ? [] : [[metric, value]])));
}

function ofBaseline(rows: NonNullable<Document['comparison']>['rows'] & object, scenario: string): Beside {
  const values: Beside['values'] = {};
  for (const row of rows) {
    if (row.scenario !== scenario || row.baseline === '') continue;
    const key = row.metric === 'greeting.ttfa' ? 'greeting' : row.turn === null ? null : `turn-${row.turn}`;
    if (key !== null) (values[key] ??= {})[row.metric] = row.baseline;
  }
  return { name: 'baseline', call: null, replies: {}, values };
}
