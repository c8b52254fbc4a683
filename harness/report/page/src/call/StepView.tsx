/** A step of a call: what was said and answered, how long it took, what was expected. */
import { outcomeState } from '../calls/state';
import type { ExpectationResult, ToolCallSeen } from '../document';
import type { Unit } from '../metrics';
import { seconds, withMs, withUnit } from '../numbers';
import { Outcome } from '../parts';
import type { Beside } from './beside';
import type { Step } from './steps';
import { changes } from './words';

const MOST_TOOLS = 50;

interface StepProps {
  step: Step;
  /** The units of expectations. */
  units: Record<string, Unit>;
  /** Whether the position is in it. */
  here: boolean;
  /** What the run is compared with. */
  beside: Beside | null;
  onSeek: (seconds: number) => void;
}

export function StepView({ step, units, here, beside, onSeek }: StepProps) {
  const { turn, atMs } = step;
  const language = turn?.language ?? 'en';
  const [values, otherReply] = [beside?.values[step.key] ?? {}, beside?.replies[step.key]];
  const diff = turn?.wer_pair == null ? [] : changes(...turn.wer_pair);
  return (
    <section class={`step ${here ? 'here' : ''}`} aria-label={step.heading}>
      <div class="when">
        <h2>{step.heading} <span class="verb">{step.verb}</span></h2>
        {atMs !== null && (
          // A little earlier, so that the onset can be heard.
          <button type="button" class="seek" aria-label={`Go to ${seconds(atMs)}`} onClick={() => { onSeek(Math.max(0, atMs - 200) / 1000); }}>
            {seconds(atMs)}
          </button>
        )}
      </div>
      <div class="what">
        <dl class="texts">
          {turn !== null && (
            <div class="said"><dt>{turn.kind === 'type' ? 'typed' : 'said'}</dt><dd dir="auto" lang={language}>{turn.text || <span class="soft">{turn.fixture ?? 'nothing'}</span>}</dd></div>
          )}
          {turn?.transcript ? <div><dt>heard as</dt><dd dir="auto" lang={language}>{turn.transcript}</dd></div> : null}
          {diff.length > 0 && (
            <div>
              <dt>WER pair</dt>
              <dd dir="auto" class="pair">
                {diff.map((change, at) => (
                  <span key={at}>
                    {at > 0 && ' '}
                    {change.kind === 'same' ? change.words : change.kind === 'said' ? <del title="said, not heard">{change.words}</del> : <ins title="heard, not said">{change.words}</ins>}
                  </span>
                ))}
              </dd>
            </div>
          )}
          {step.tools.slice(0, MOST_TOOLS).map((tool, at) => <Tool key={at} tool={tool} />)}
          {step.tools.length > MOST_TOOLS && <div><dt>tool</dt><dd class="soft">and {step.tools.length - MOST_TOOLS} more, see calls.jsonl</dd></div>}
          {step.reply !== '' && <div class="replied"><dt>reply</dt><dd dir="auto" lang={language}>{step.reply}</dd></div>}
          {otherReply ? <div class="beside"><dt>{beside?.name} replied</dt><dd dir="auto" lang={language}>{otherReply}</dd></div> : null}
        </dl>
        {step.remarks.map((remark) => (
          <p key={remark.state.words} class="remark"><Outcome state={remark.state} /> <bdi>{remark.words}</bdi></p>
        ))}
        {step.expectations.length > 0 && <Expected results={step.expectations} units={units} />}
      </div>
      <dl class="numbers">
        {step.facts.map((fact) => (
          <div key={fact.name} title={fact.title}>
            <dt>{fact.name}</dt>
            <dd>{fact.value}{fact.metric !== undefined && values[fact.metric] !== undefined && <span class="beside"> {beside?.name} {values[fact.metric]}</span>}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Tool({ tool }: { tool: ToolCallSeen }) {
  const when = [tool.ms == null ? '' : `took ${withMs(tool.ms)}`, tool.at_ms == null ? '' : `at ${seconds(tool.at_ms)}`].filter(Boolean);
  return (
    <div class="tool">
      <dt>tool</dt>
      <dd>
        <code>{tool.name}</code> <bdi>{asText(tool.arguments ?? {})}</bdi> → <bdi>{asText(tool.result ?? null)}</bdi>{' '}
        <Outcome state={tool.ok === false ? { sign: '✗', words: 'failed', tone: 'bad' } : { sign: '✓', words: 'ok', tone: 'ok' }} />{' '}
        <span class="soft">{when.join(', ')}</span>
      </dd>
    </div>
  );
}

/** A text as it is, anything else as JSON. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function Expected({ results, units }: { results: ExpectationResult[]; units: Record<string, Unit> }) {
  return (
    <table class="expected">
      <thead class="unseen"><tr>{['result', 'expected', 'value', 'why'].map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
      <tbody>
        {results.map((result, at) => (
          <tr key={at}>
            <td><Outcome state={outcomeState(result.outcome)} /></td>
            <th scope="row"><code>{result.expect}</code> <bdi>{result.limit}</bdi></th>
            <td class="num">{result.value == null ? '' : withUnit(units[result.expect] ?? 'none', result.value)}</td>
            <td class="text"><bdi>{result.why}</bdi> {result.place ? <code class="place">{result.place}</code> : null}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
