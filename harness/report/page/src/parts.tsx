/** Small parts that many sections use. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { State } from './calls/state';
import { count } from './numbers';
import { linkTo } from './route';

/** An outcome: a sign and words. */
export function Outcome({ state }: { state: State }) {
  return (
    <span class={`state ${state.tone}`}>
      <span aria-hidden="true">{state.sign}</span> {state.words}
    </span>
  );
}

/** A section with a heading that the navigation links to. */
export function Section({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section aria-labelledby={id} class={`section ${id}`}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** What may be wider than the page. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // Keyboards scroll only what has the focus.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div class="scroll" tabIndex={0} role="region" aria-label={`Table: ${label}`}>
      {children}
    </div>
  );
}

/** Links to the first calls of a list, and a button for the others. */
export function CallLinks({ calls, most = 8 }: { calls: readonly string[]; most?: number }) {
  const [all, setAll] = useState(false);
  const shown = all ? calls : calls.slice(0, most);
  return (
    <span class="call-links">
      {shown.map((call) => (
        <a key={call} href={linkTo(call)}>
          {call}
        </a>
      ))}
      {calls.length > shown.length && (
        <button type="button" class="plain" onClick={() => { setAll(true); }}>
          {count(calls.length - shown.length)} more
        </button>
      )}
    </span>
  );
}

/** A table of figures: the first column is text, the others are numbers. */
export function Figures({ label, head, rows }: { label: string; head: string[]; rows: string[][] }) {
  return (
    <Scroll label={label}>
      <table class="figures">
        <thead>
          <tr>
            {head.map((name, at) => (
              <th key={name} scope="col" class={at > 0 ? 'num' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row[0]}>
              {row.map((cell, at) =>
                at === 0 ? (
                  <th key={at} scope="row">{cell}</th>
                ) : (
                  <td key={at} class="num">{cell}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
