/** What was said in a call, from the frames that its agent sent. */
import { readFrame } from '../call/conversation';
import type { Frame } from './protocol';

const REPLY_TOPIC = 'voice.reply';
const TOOL_TOPIC = 'voice.tool_call';

export interface Said {
  readonly kind: 'user' | 'agent';
  readonly text: string;
  readonly atMs: number;
}

export interface ToolCall {
  readonly kind: 'tool';
  readonly name: string;
  readonly args: string;
  readonly result: string;
  readonly ok: boolean;
  /** How long it took, in ms; null where the agent does not say. */
  readonly tookMs: number | null;
  readonly atMs: number;
}

export type Entry = Said | ToolCall;

/** The entries of a conversation, in the order of its frames; a frame that is to be ignored has none. */
export function entriesOf(frames: readonly Frame[]): Entry[] {
  return frames.flatMap((frame) => entryOf(frame) ?? []);
}

function entryOf({ topic, at_ms, payload }: Frame): Entry | null {
  if (topic === REPLY_TOPIC) {
    const reply = readFrame(payload);
    return reply === null ? null : { kind: reply.role, text: reply.text, atMs: at_ms };
  }
  const { name, arguments: args, result, ms, ok } = payload;
  if (topic !== TOOL_TOPIC || typeof name !== 'string') {
    return null;
  }
  return {
    kind: 'tool',
    name,
    args: asText(args),
    result: asText(result),
    ok: ok !== false,
    tookMs: typeof ms === 'number' ? ms : null,
    atMs: at_ms,
  };
}

/** A value of JSON as text; a text is itself. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}
