/** What is known of a call as a whole. */
import type { CallResult } from '../document';
import { level, percent, timeOfDay, withMs } from '../numbers';
import type { Fact } from './steps';

export function factsOf(call: CallResult): Fact[] {
  const { media = {}, own = {} } = call;
  const facts: [string, string | number | false | null | undefined, string?][] = [
    ['started', timeOfDay(call.started)],
    ['room', call.room],
    ['target', call.target],
    ['agent', call.agent],
    ['engine', call.engine ?? 'sdk'],
    ['machine', call.host],
    ['tags', call.tags?.join(', ')],
    ['session created in', some(call.session_create_ms)],
    ['room connected in', some(call.room_connect_ms)],
    ['held back', call.held_back_ms ? withMs(call.held_back_ms) : null, 'by the harness; not part of any other number'],
    ['agent joined after', some(call.agent_join_ms)],
    ['agents in the room', (call.agents ?? 0) > 1 && call.agents],
    ['hand-overs', call.handovers?.map((each) => `${each.left} → ${each.followed}`).join(', ')],
    ['junk frames', call.junk_frames],
    ['texts outside turns', call.stray_texts],
    ['speech outside turns', call.stray_speech],
    ['packets lost', share(media.loss), "of the agent's audio"],
    ['concealed', share(media.concealed), 'samples synthesised for lost or late packets'],
    ['jitter', some(media.jitter_ms), 'mean, from RTCP'],
    ['round trip', some(media.rtt_ms), 'mean, to the server, in whole milliseconds'],
    ['jitter buffer', some(media.jitter_buffer_ms), 'mean wait of a sample'],
    ['voice level', media.level_dbfs == null ? null : level(media.level_dbfs), "of the agent's active speech"],
    ['clipped', share(media.clipped), "of the agent's voice"],
    ['longest own lag', longest(own.lag_ms), "the event loop's delay"],
    ['latest own packet', longest(own.send_late_ms)],
  ];
  return facts.flatMap(([name, value, title]) =>
    value ? [{ name, value: String(value), ...(title === undefined ? {} : { title }) }] : [],
  );
}

function some(ms: number | null | undefined): string | null {
  return ms == null ? null : withMs(ms);
}

function share(value: number | null | undefined): string | null {
  return value == null ? null : percent(value);
}

function longest(values: readonly number[] | undefined): string | null {
  return values === undefined || values.length === 0 ? null : withMs(Math.max(...values));
}
