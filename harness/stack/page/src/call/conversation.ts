/** What was said and typed in one room: reads the agent's frames, and tells echoes from transcripts. */

/** The topic of frames from the client to the agent. */
export const TOPIC_OUT = 'voice.user_text';
/** The topic of frames from the agent to the client. */
export const TOPIC_IN = 'voice.reply';
const USER_TEXT = 'user_text';

export type Role = 'user' | 'agent';

/** A message as it is shown. */
export interface Message {
  /** Unique in its conversation, in the order of the messages. */
  readonly id: number;
  readonly role: Role;
  readonly text: string;
  /** The message was typed and could not be sent. */
  readonly failed: boolean;
}

/** A text that a frame carries, trimmed and not empty. */
export interface Reply {
  readonly role: Role;
  readonly text: string;
}

/** The payload of a typed message. */
export function outgoing(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ type: USER_TEXT, text }));
}

/** The text in a frame on {@link TOPIC_IN}; null for one that is to be ignored. */
export function readReply(payload: Uint8Array): Reply | null {
  let frame: unknown;
  try {
    frame = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return null;
  }
  return readFrame(frame);
}

/** As {@link readReply}, for a frame that is parsed already. */
export function readFrame(frame: unknown): Reply | null {
  if (typeof frame !== 'object' || frame === null) {
    return null;
  }
  const { type, text, message } = frame as Record<string, unknown>;
  const written = typeof text === 'string' ? text : message;
  if (typeof type !== 'string' || typeof written !== 'string' || written.trim() === '') {
    return null;
  }
  return { role: type === USER_TEXT ? 'user' : 'agent', text: written.trim() };
}

/** The messages of one room. */
export class Conversation {
  /** The messages so far; a new array after each change. */
  messages: readonly Message[] = [];
  /** Texts that were sent and not yet echoed. */
  readonly #unechoed: string[] = [];
  #nextId = 1;

  /** Shows a typed message at once, and expects its echo. */
  typed(text: string): Message {
    this.#unechoed.push(text);
    return this.#add('user', text);
  }

  /** Marks a typed message as not sent; no echo is expected. */
  notSent(message: Message): void {
    this.#takeEcho(message.text);
    this.messages = this.messages.map((one) => (one.id === message.id ? { ...one, failed: true } : one));
  }

  /** Shows what a frame carries; returns false if it is the echo of a message that is shown already. */
  received(reply: Reply): boolean {
    if (reply.role === 'user' && this.#takeEcho(reply.text)) {
      return false;
    }
    this.#add(reply.role, reply.text);
    return true;
  }

  #takeEcho(text: string): boolean {
    const first = this.#unechoed.indexOf(text);
    if (first >= 0) {
      this.#unechoed.splice(first, 1);
    }
    return first >= 0;
  }

  #add(role: Role, text: string): Message {
    const message = { id: this.#nextId++, role, text, failed: false };
    this.messages = [...this.messages, message];
    return message;
  }
}
