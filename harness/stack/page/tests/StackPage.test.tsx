import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { connectToStack } from '../src/stack/connection';
import { StackPage } from '../src/stack/StackPage';
import { FakeRoom, lastRoom, reset } from './fake-livekit';
import { type FakeSocket, lastSocket, openFake } from './fake-socket';

vi.mock('livekit-client', async () => (await import('./fake-livekit')).fakeLiveKit());

beforeEach(() => {
  reset();
  window.scrollTo = vi.fn();
  window.location.hash = '';
});
afterEach(cleanup);

const CALL = { room: 'call-1', agent: 'demo', caller: 'caller-1', state: 'live', since_ms: 0, until_ms: null };
const frame = (type: string, text: string): unknown => ({ topic: 'voice.reply', at_ms: 2000, payload: { type, text } });

function shown(): FakeSocket {
  render(<StackPage stack={connectToStack({ open: openFake, now: () => 0 })} />);
  const socket = lastSocket();
  act(() => {
    socket.opens();
    socket.tells({ type: 'hello', runs: null, call_page: false });
    socket.tells({ type: 'calls', calls: [CALL], under_way: 1 });
  });
  return socket;
}

async function choose(name: RegExp): Promise<void> {
  const link = screen.getByRole('link', { name });
  fireEvent.click(link); // jsdom follows links to fragments
  await waitFor(() => {
    expect(link.getAttribute('aria-current')).toBe('true');
  });
}

it('shows agents with what they have, as text', () => {
  const socket = shown();
  const agent = { id: 'demo', name: 'demo', language: 'en', voice: 'joe', greeting: '<b>Hello</b>' };
  act(() => {
    socket.tells({ type: 'agents', agents: [{ ...agent, documents: 1, mcp_servers: 2 }], total: 3 });
  });
  expect(screen.getByText('“<b>Hello</b>”')).toBeTruthy();
  expect(screen.getByText(/Language en, voice joe, 1 document, 2 MCP servers/)).toBeTruthy();
  expect(screen.getByText('And 2 more.')).toBeTruthy();
});

it('shows the conversation of the call that is chosen, and watches no other', async () => {
  const socket = shown();
  await choose(/demo/);
  expect(socket.sent).toEqual([{ watch: 'call-1' }]);
  act(() => {
    socket.tells({
      type: 'frames',
      room: 'call-1',
      start: 0,
      frames: [frame('agent_text', 'Hello.'), frame('user_text', 'Are you open?')],
    });
  });
  const said = within(screen.getByRole('log', { name: 'Conversation' })).getAllByRole('listitem');
  expect(said.map((one) => one.textContent)).toEqual(['Agent 0:02Hello.', 'Caller 0:02Are you open?']);
});

it('listens by a room that sends nothing, and leaves it when another call is chosen', async () => {
  const socket = shown();
  const access = vi.fn(() => Promise.resolve(new Response(JSON.stringify({ token: 'eyJ', livekit_url: 'ws://x' }))));
  vi.stubGlobal('fetch', access);
  await choose(/demo/);
  expect(FakeRoom.all).toHaveLength(0);
  fireEvent.click(screen.getByRole('button', { name: 'Listen in' }));
  await screen.findByText(/You are listening/);
  const [path, request] = access.mock.calls[0] as unknown as [string, RequestInit];
  expect([path, request.body]).toEqual(['/stack/listen', '{"room":"call-1"}']);
  const room = lastRoom();
  act(() => {
    room.agentComes();
  });
  expect(document.querySelectorAll('audio')).toHaveLength(1);
  act(() => {
    socket.tells({ type: 'calls', calls: [CALL, { ...CALL, room: 'call-2', agent: 'light' }], under_way: 2 });
  });
  await choose(/light/);
  expect(room.disconnected).toBe(1);
  expect(room.published).toEqual([]);
  expect(room.sent).toEqual([]);
  expect(document.querySelectorAll('audio')).toHaveLength(0);
});

it('says in the stack’s own words why listening in is refused', async () => {
  shown();
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('The call is over.', { status: 404 })));
  await choose(/demo/);
  fireEvent.click(screen.getByRole('button', { name: 'Listen in' }));
  expect(await screen.findByText('The call is over.')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Listen in' })).toBeTruthy();
});

it('says how to see runs where no folder was named, and that the stack is gone', () => {
  const socket = shown();
  expect(screen.getByText('--runs reports')).toBeTruthy();
  act(() => {
    socket.closes();
  });
  expect(screen.getByText('The stack does not answer. Trying again…')).toBeTruthy();
});
