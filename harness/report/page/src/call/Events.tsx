/** Everything that happened in a call, as its timeline has it. */
import type { DetailedCall } from '../document';
import { count } from '../numbers';
import { Scroll } from '../parts';
import { asText } from './StepView';

export function Events({ detail, onSeek }: { detail: DetailedCall; onSeek: (seconds: number) => void }) {
  const events = detail.events ?? [];
  if (events.length === 0) return null;
  return (
    <details class="more events">
      <summary>Events and data frames ({count(events.length)})</summary>
      <Scroll label="Events">
        <table>
          <thead><tr><th scope="col" class="num">at</th><th scope="col">event</th><th scope="col">what</th></tr></thead>
          <tbody>
            {events.map((event, at) => (
              <tr key={at}>
                <td class="num">
                  <button type="button" class="plain" onClick={() => { onSeek(event.at_ms / 1000); }}>{(event.at_ms / 1000).toFixed(3)} s</button>
                </td>
                <th scope="row"><code>{event.event}</code></th>
                <td class="text">
                  {Object.entries(event.fields ?? {}).map(([name, value]) => (
                    <span key={name} class="field"><span class="soft">{name}</span> <bdi>{asText(value)}</bdi></span>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {(detail.more_events ?? 0) > 0 && <p class="soft">{count(detail.more_events ?? 0)} more are in timelines/{detail.call}.jsonl.</p>}
    </details>
  );
}
