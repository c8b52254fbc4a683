/** The verdict, why, and what was run. */
import type { Document } from '../document';
import { count } from '../numbers';

const LONG = new Set(['command', 'made with', 'prompt', 'measured again', 'definitions', 'held back by the harness']);

export function Header({ document }: { document: Document }) {
  const { run, summary } = document.published;
  const { headline, about = [], excused = [], patterns = [] } = document.shown;
  const brief = about.filter((fact) => !LONG.has(fact.name));
  const long = about.filter((fact) => LONG.has(fact.name));
  return (
    <header class={`verdict ${headline.tone}`}>
      <p class="product">
        voice-harness report{run.run && <> · <bdi>{run.run}</bdi></>}
      </p>
      <h1>
        <span class="sign" aria-hidden="true">{headline.sign}</span>
        <span>{headline.words}</span>{' '}
        {summary !== null && <small>exit code {summary.exit_code}</small>}
      </h1>
      {summary !== null && summary.reasons.length > 0 && (
        <ul class="reasons" aria-label="Reasons">
          {summary.reasons.map((reason, at) => (
            <li key={reason.what}>
              <bdi>{reason.what}</bdi>
              {patterns[at] && <span class="soft"> ({patterns[at]})</span>}
              {(reason.count ?? 1) > 1 && <b class="times"> × {count(reason.count ?? 1)}</b>}
              {reason.code !== 0 && <span class="soft"> (exit {reason.code})</span>}
            </li>
          ))}
        </ul>
      )}
      {excused.length > 0 && (
        <p>
          Excused by thresholds and pass rates that were met:{' '}
          {excused.map((what, at) => <span key={what}>{at > 0 && ', '}<bdi>{what}</bdi></span>)}
        </p>
      )}
      <dl class="about">
        {brief.map((fact) => (
          <div key={fact.name}>
            <dt>{fact.name}</dt>
            <dd><bdi>{fact.value}</bdi></dd>
          </div>
        ))}
      </dl>
      {long.length > 0 && (
        <details class="more">
          <summary>How it was run</summary>
          <dl>
            {long.map((fact) => (
              <div key={fact.name}>
                <dt>{fact.name}</dt>
                <dd>{fact.name === 'command' ? <code>{fact.value}</code> : <bdi>{fact.value}</bdi>}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </header>
  );
}
