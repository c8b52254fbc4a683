import { describe, expect, it } from 'vitest';

import { Conversation, outgoing, readReply } from '../src/call/conversation';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const frame = (value: unknown): Uint8Array => bytes(JSON.stringify(value));
const shown = (conversation: Conversation): string[] =>
  conversation.messages.map(({ role, text }) => `${role}: ${text}`);

describe('a frame on voice.reply', () => {
  it.each([
    [{ type: 'user_text', text: ' Hello ' }, { role: 'user', text: 'Hello' }],
    [{ type: 'agent_text', text: 'Good day' }, { role: 'agent', text: 'Good day' }],
    [{ type: 'anything', message: ' From message ' }, { role: 'agent', text: 'From message' }],
    [{ type: 'user_text', message: 'Hi' }, { role: 'user', text: 'Hi' }],
    [{ type: 'agent_text', text: 'Text', message: 'Message' }, { role: 'agent', text: 'Text' }],
  ])('%j', (value, reply) => {
    expect(readReply(frame(value))).toEqual(reply);
  });

  it.each([
    ['not JSON', bytes('{oops')],
    ['not UTF-8', new Uint8Array([0xff, 0xfe, 0x22])],
    ['empty', new Uint8Array()],
    ['a list', frame(['user_text', 'x'])],
    ['null', frame(null)],
    ['a text', frame('hello')],
    ['without a type', frame({ text: 'x' })],
    ['a type that is no text', frame({ type: 7, text: 'x' })],
    ['without a text', frame({ type: 'agent_text' })],
    ['a text that is none', frame({ type: 'agent_text', text: { a: 1 } })],
    ['a blank text', frame({ type: 'agent_text', text: ' \n ' })],
  ])('is ignored: %s', (_what, payload) => {
    expect(readReply(payload)).toBeNull();
  });

  it('has the form of the contract on the way out', () => {
    expect(JSON.parse(new TextDecoder().decode(outgoing('Grüß Gott 👋')))).toEqual({
      type: 'user_text',
      text: 'Grüß Gott 👋',
    });
  });
});

describe('the echo of a typed message', () => {
  it('is not shown twice', () => {
    const conversation = new Conversation();
    conversation.typed('Hello');
    expect(conversation.received({ role: 'user', text: 'Hello' })).toBe(false);
    expect(shown(conversation)).toEqual(['user: Hello']);
  });

  it('is used up: the same words said aloud afterwards are a transcript', () => {
    const conversation = new Conversation();
    conversation.typed('Hello');
    conversation.received({ role: 'user', text: 'Hello' });
    conversation.received({ role: 'user', text: 'Hello' });
    expect(shown(conversation)).toEqual(['user: Hello', 'user: Hello']);
  });

  it('is awaited once for each time that the text was sent, in any order', () => {
    const conversation = new Conversation();
    for (const text of ['One', 'Two', 'One']) {
      conversation.typed(text);
    }
    for (const text of ['Two', 'One', 'One', 'Three']) {
      conversation.received({ role: 'user', text });
    }
    expect(shown(conversation)).toEqual(['user: One', 'user: Two', 'user: One', 'user: Three']);
  });

  it('belongs to its room', () => {
    new Conversation().typed('Hello');
    const next = new Conversation();
    next.received({ role: 'user', text: 'Hello' });
    expect(shown(next)).toEqual(['user: Hello']);
  });

  it('is no reply of the agent with the same words', () => {
    const conversation = new Conversation();
    conversation.typed('Hello');
    conversation.received({ role: 'agent', text: 'Hello' });
    expect(shown(conversation)).toEqual(['user: Hello', 'agent: Hello']);
  });

  it('is not awaited for a message that could not be sent', () => {
    const conversation = new Conversation();
    conversation.notSent(conversation.typed('Hello'));
    conversation.received({ role: 'user', text: 'Hello' });
    expect(conversation.messages.map(({ text, failed }) => [text, failed])).toEqual([
      ['Hello', true],
      ['Hello', false],
    ]);
  });
});
