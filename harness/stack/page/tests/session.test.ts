// @vitest-environment node
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { createSession, SessionError } from '../src/call/session';

interface Answer {
  status?: number;
  type?: string;
  body?: string;
}

let server: Server;
let route: string;
let answer: Answer;
let received: { method: string | undefined; headers: IncomingMessage['headers']; body: unknown }[];

beforeEach(async () => {
  received = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      received.push({ method: request.method, headers: request.headers, body });
      response.writeHead(answer.status ?? 200, { 'Content-Type': answer.type ?? 'text/plain' });
      response.end(answer.body ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  route = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/voice-agent/session`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (data: unknown): Answer => ({ type: 'application/json', body: JSON.stringify({ data }) });

async function failure(): Promise<string> {
  const problem: unknown = await createSession({ agent: 'demo' }, { route }).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(SessionError);
  return (problem as SessionError).message;
}

it('posts the agent and the overrides that are not blank, and returns what is needed to join', async () => {
  answer = json({ token: 'eyJ', livekit_url: 'ws://127.0.0.1:1', room_name: 'call-1' });
  const session = await createSession({ agent: 'demo', language: 'en', greeting: '  ', system_prompt: '' }, { route });
  expect(session).toEqual({ token: 'eyJ', livekitUrl: 'ws://127.0.0.1:1', roomName: 'call-1' });
  expect(received).toHaveLength(1);
  expect(received[0]?.method).toBe('POST');
  expect(received[0]?.headers['content-type']).toBe('application/json');
  expect(received[0]?.headers).not.toHaveProperty('x-api-key');
  expect(received[0]?.body).toEqual({ agent: 'demo', language: 'en' });
});

it('does without a room name', async () => {
  answer = json({ token: 'eyJ', livekit_url: 'ws://127.0.0.1:1' });
  expect((await createSession({ agent: 'demo' }, { route })).roomName).toBeNull();
});

it.each([
  ['the words of the route', { status: 404, body: ' agent: There is no agent.\n' }, 'agent: There is no agent.'],
  ['an empty body', { status: 502, body: '' }, 'Failed to create voice-agent session'],
  ['a blank body', { status: 500, body: ' \n ' }, 'Failed to create voice-agent session'],
  ["a proxy's page", { status: 502, type: 'text/html', body: '<h1>Bad</h1>' }, 'Failed to create voice-agent session'],
  ['no token', json({ livekit_url: 'ws://x' }), 'Session response is missing token or livekit_url'],
  ['no URL', json({ token: 'eyJ' }), 'Session response is missing token or livekit_url'],
  ['an empty token', json({ token: '', livekit_url: 'ws://x' }), 'Session response is missing token or livekit_url'],
  ['a wrong type', json({ token: 5, livekit_url: 'ws://x' }), 'Session response is missing token or livekit_url'],
  ['no data', json(null), 'Session response is missing token or livekit_url'],
  ['no JSON', { body: 'hello' }, 'Session response is missing token or livekit_url'],
])('says what is wrong: %s', async (_what, given, words) => {
  answer = given;
  expect(await failure()).toBe(words);
});

it('says so where the route cannot be reached', async () => {
  answer = {};
  route = 'http://127.0.0.1:9/';
  expect(await failure()).toBe('Failed to create voice-agent session');
});

it('gives up when it is told to', async () => {
  const giveUp = new AbortController();
  giveUp.abort();
  answer = {};
  await expect(createSession({ agent: 'demo' }, { route, signal: giveUp.signal })).rejects.toThrow(/abort/i);
});
