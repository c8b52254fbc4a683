import { useMemo } from 'react';

import type { TimelineEvent } from './protocol';
import { withSelection } from './selection';
import type { StackState } from './state';
import { draw, type Drawing, type Lane } from './timeline';
import { length } from './times';
import { useStuckToEnd } from './useStuckToEnd';

const NO_EVENTS: readonly TimelineEvent[] = [];

interface RunDetailProps {
  readonly run: string;
  readonly call: string;
  readonly state: StackState;
}

/** The timeline of a call of a run, as it grows. */
export function RunDetail({ run, call, state }: RunDetailProps): React.JSX.Element {
  const { timeline } = state;
  const events = timeline?.run === run && timeline.call === call ? timeline.events : NO_EVENTS;
  const drawing = useMemo(() => draw(events), [events]);
  const live = state.calls?.shown.some(({ room, state: now }) => room === drawing.room && now !== 'over') ?? false;
  return (
    <section className="sp-card" aria-labelledby="chosen">
      <h2 id="chosen" tabIndex={-1}>{call}</h2>
      <p className="sp-row-more">
        {[drawing.title, `${length(drawing.length * 1000)} ${drawing.ended ? 'in all' : 'so far'}`].filter(Boolean).join(', ')}
      </p>
      {live && drawing.room !== null && (
        <p className="sp-link">
          <a href={withSelection({ kind: 'call', room: drawing.room })}>Listen in to this call</a>
        </p>
      )}
      <Lanes drawing={drawing} />
      <Rows drawing={drawing} />
    </section>
  );
}

const LANES: Record<Lane, string> = { caller: 'Caller', agent: 'Agent' };

function Lanes({ drawing }: { readonly drawing: Drawing }): React.JSX.Element {
  const { stretches, turns } = drawing;
  const total = Math.max(drawing.length, 1);
  const place = (at: number): string => `${((100 * at) / total).toFixed(2)}%`;
  const spoken = (lane: Lane): number =>
    stretches.filter((one) => one.lane === lane).reduce((sum, { from, to }) => sum + (to ?? total) - from, 0);
  const said = `The caller’s voice: ${spoken('caller').toFixed(1)} s; the agent’s voice: ${spoken('agent').toFixed(1)} s; ${turns.length} turns.`;
  return (
    <div className="sp-lanes" role="img" aria-label={said}>
      {(['caller', 'agent'] as const).map((lane) => (
        <div key={lane} className="sp-lane">
          <span className="sp-lane-name">{LANES[lane]}</span>
          <div className="sp-track">
            {turns.map(({ turn, at }) => (
              <span key={turn} className="sp-turn" style={{ left: place(at) }} />
            ))}
            {stretches
              .filter((one) => one.lane === lane)
              .map(({ from, to }) => (
                <span
                  key={from}
                  className="sp-stretch"
                  data-lane={lane}
                  style={{ left: place(from), width: place((to ?? total) - from) }}
                />
              ))}
          </div>
        </div>
      ))}
    </div>
  );
}

function Rows({ drawing }: { readonly drawing: Drawing }): React.JSX.Element {
  const { box, follow } = useStuckToEnd(drawing.rows.length);
  return (
    <div ref={box} className="sp-log" role="log" aria-label="Timeline" tabIndex={0} onScroll={follow}>
      <ol className="sp-rows">
        {drawing.rows.map((row, number) => (
          <li key={number} data-who={row.who} data-bad={row.bad}>
            <span className="sp-time">{row.at.toFixed(1)} s</span>
            <span className="sp-row-who">{row.who === 'call' ? '' : LANES[row.who]}</span>
            <span className="sp-text">{row.what}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
