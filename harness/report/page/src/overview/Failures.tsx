/** What went wrong, grouped, with links to the calls. */
import type { CallResult, FailedExpectation, FailedKind, Shown } from '../document';
import { count, counted } from '../numbers';
import { CallLinks } from '../parts';

export function Failures({ shown, calls }: { shown: Shown; calls: CallResult[] }) {
  const byId = new Map(calls.map((call) => [call.call, call]));
  return (
    <div class="failed-groups">
      {(shown.kinds ?? []).map((kind) => <Kind key={kind.kind} kind={kind} />)}
      {(shown.expectations ?? []).map((each, at) => <Expected key={at} failed={each} byId={byId} />)}
    </div>
  );
}

function Kind({ kind }: { kind: FailedKind }) {
  return (
    <article class="failure">
      <h3>
        <code>{kind.kind}</code> <span class="share">in {counted(kind.count, 'call')}</span>
      </h3>
      {kind.what !== '' && <p><bdi>{kind.what}</bdi></p>}
      {kind.hints.map((hint) => <p key={hint} class="soft">hint: <bdi>{hint}</bdi></p>)}
      {kind.calls.length > 0 && <p><CallLinks calls={kind.calls} /></p>}
    </article>
  );
}

function Expected({ failed, byId }: { failed: FailedExpectation; byId: Map<string, CallResult> }) {
  const example = byId.get(failed.calls[0] ?? '')?.turns?.find((turn) => turn.turn === failed.turn);
  return (
    <article class="failure">
      <h3>
        <span>
          <bdi>{failed.scenario}</bdi>{failed.turn !== null && `, turn ${failed.turn}`}: <code>{failed.expect}</code>{' '}
          <bdi>{failed.limit}</bdi>
        </span>{' '}
        <span class="share">in {count(failed.failed)} of {counted(failed.judged, 'call')}</span>
      </h3>
      <p><bdi>{failed.why}</bdi> {failed.place !== '' && <code class="place">{failed.place}</code>}</p>
      {example !== undefined && (
        <dl class="texts">
          <div><dt>{example.kind === 'type' ? 'typed' : 'said'}</dt><dd dir="auto">{example.text}</dd></div>
          {example.transcript ? <div><dt>heard as</dt><dd dir="auto">{example.transcript}</dd></div> : null}
          <div><dt>reply</dt><dd dir="auto">{example.reply ?? <span class="soft">none</span>}</dd></div>
        </dl>
      )}
      <p><CallLinks calls={failed.calls} /></p>
    </article>
  );
}
