/** The few figures that people ask for first. */
import type { MetricSummary, Summary } from '../document';
import { isRate } from '../metrics';
import { count, counted, percent, wer as asWer, withMs } from '../numbers';

interface Figure {
  name: string;
  value: string;
  below: string;
  tone?: 'bad' | 'warn';
}

export function KeyFigures({ summary }: { summary: Summary }) {
  return (
    <ul class="key-figures" aria-label="Key figures">
      {figuresOf(summary).map((figure) => (
        <li key={figure.name} class={figure.tone}>
          <span class="name">{figure.name}</span>
          <b>{figure.value}</b>
          <span class="below">{figure.below}</span>
        </li>
      ))}
    </ul>
  );
}

function figuresOf(summary: Summary): Figure[] {
  const figures = [callsOf(summary)];
  const ttfa = summaryOf(summary, 'turn.ttfa');
  if (ttfa !== null) {
    figures.push({ name: 'TTFA p50', value: withMs(ttfa.p50), below: `of ${counted(ttfa.count, 'turn')}` });
    figures.push(
      ttfa.p95 === null
        ? { name: 'TTFA max', value: withMs(ttfa.max), below: 'p95 needs 20 turns' }
        : { name: 'TTFA p95', value: withMs(ttfa.p95), below: `max ${withMs(ttfa.max)}` },
    );
  }
  const greeting = summaryOf(summary, 'greeting.ttfa');
  if (greeting !== null) {
    figures.push({ name: 'greeting p50', value: withMs(greeting.p50), below: `max ${withMs(greeting.max)}` });
  }
  const wer = summaryOf(summary, 'turn.wer');
  if (wer !== null) figures.push({ name: 'WER mean', value: asWer(wer.mean), below: `max ${asWer(wer.max)}` });
  for (const [metric, name, tone] of RATES) {
    const rate = summary.metrics?.[metric];
    if (rate !== undefined && isRate(rate)) {
      const below = `${count(rate.failed)} of ${counted(rate.count, 'turn')}`;
      figures.push({ name, value: percent(rate.rate), below, ...(rate.failed > 0 && tone ? { tone } : {}) });
    }
  }
  return figures;
}

const RATES: [string, string, 'warn' | null][] = [
  ['turn.interrupted', 'interrupted', null],
  ['turns.unfit', 'unfit turns', 'warn'],
];

function callsOf(summary: Summary): Figure {
  const { total = 0, ok = 0, failed = 0, dropped = 0, retried = 0, cut = 0 } = summary.calls;
  const below = [
    `of ${count(total)}`,
    `${count(failed)} failed`,
    dropped > 0 && `${count(dropped)} dropped`,
    retried > 0 && `${count(retried)} repeated, because they could not be measured`,
    cut > 0 && `${count(cut)} cut short`,
  ].filter(Boolean);
  return {
    name: 'calls ok',
    value: count(ok),
    below: below.join(', '),
    ...(failed > 0 ? { tone: 'bad' } : {}),
  };
}

function summaryOf(summary: Summary, metric: string): MetricSummary | null {
  const found = summary.metrics?.[metric];
  return found === undefined || isRate(found) ? null : found;
}
