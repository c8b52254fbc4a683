import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { CallView } from '../src/call';
import { FakeRoom, lastRoom, microphone, reset, stubRoute } from './fake-livekit';

vi.mock('livekit-client', async () => (await import('./fake-livekit')).fakeLiveKit());

beforeEach(reset);
afterEach(cleanup);

const button = (name: RegExp | string): HTMLElement => screen.getByRole('button', { name });
const box = (): HTMLInputElement => screen.getByRole('textbox', { name: 'Message' });
const messages = (): string[] =>
  screen
    .queryAllByRole('listitem')
    .map((item) => `${item.dataset.role ?? ''}: ${item.querySelector('.va-text')?.textContent ?? ''}`);
const enabled = (name: string): boolean => button(name).getAttribute('aria-disabled') === 'false';

async function start(): Promise<FakeRoom> {
  fireEvent.click(button('Start call'));
  await screen.findByText('Live');
  return lastRoom();
}

it('goes from idle to connecting to live and back, and tells whoever asks', async () => {
  stubRoute();
  const states: string[] = [];
  render(<CallView session={{ agent: 'demo' }} onState={(state) => states.push(state)} />);
  expect([enabled('Start call'), enabled('End call'), box().disabled]).toEqual([true, false, true]);
  fireEvent.click(button('Start call'));
  expect(screen.getByRole('status').textContent).toBe('Connecting…');
  expect([enabled('Start call'), enabled('End call'), box().disabled]).toEqual([false, true, true]);
  await screen.findByText('Live');
  expect(box().disabled).toBe(false);
  fireEvent.click(button('End call'));
  await screen.findByText('Call ended');
  expect([enabled('Start call'), box().disabled]).toEqual([true, true]);
  expect(states).toEqual(['idle', 'connecting', 'live', 'idle']);
});

it('does nothing at a second start', async () => {
  const route = stubRoute();
  render(<CallView session={{ agent: 'demo' }} />);
  fireEvent.click(button('Start call'));
  fireEvent.click(button('Start call'));
  await screen.findByText('Live');
  fireEvent.click(button('Start call'));
  expect(route).toHaveBeenCalledTimes(1);
  expect(FakeRoom.all).toHaveLength(1);
});

it('ends the call when it is unmounted, in strict mode as well', async () => {
  stubRoute();
  const view = render(
    <StrictMode>
      <CallView session={{ agent: 'demo' }} />
    </StrictMode>,
  );
  const room = await start();
  await waitFor(() => {
    expect(room.published).toHaveLength(1);
  });
  view.unmount();
  await waitFor(() => {
    expect(room.disconnected).toBe(1);
  });
  expect(microphone.track.stopped).toBe(true);
});

it('shows messages by role, and what is typed at once and once', async () => {
  stubRoute();
  render(<CallView session={{ agent: 'demo' }} />);
  const room = await start();
  act(() => {
    room.receive({ type: 'agent_text', text: 'Hello.' });
  });
  fireEvent.change(box(), { target: { value: '  Are you open? ' } });
  fireEvent.submit(box());
  expect(messages()).toEqual(['agent: Hello.', 'user: Are you open?']);
  expect(box().value).toBe('');
  await act(async () => {
    room.receive({ type: 'user_text', text: 'Are you open?' });
    room.receive({ type: 'agent_text', text: 'From nine to six.' });
    await Promise.resolve();
  });
  expect(messages()).toEqual(['agent: Hello.', 'user: Are you open?', 'agent: From nine to six.']);
});

it('sends nothing blank', async () => {
  stubRoute();
  render(<CallView session={{ agent: 'demo' }} />);
  const room = await start();
  fireEvent.change(box(), { target: { value: '   ' } });
  expect(button('Send')).toHaveProperty('disabled', true);
  fireEvent.submit(box());
  expect([room.sent, messages()]).toEqual([[], []]);
});

it('says why there is no session and can be started again', async () => {
  stubRoute(() => new Response('agent: There is no agent.', { status: 404 }));
  render(<CallView session={{ agent: 'x' }} />);
  fireEvent.click(button('Start call'));
  expect(await screen.findByText('agent: There is no agent.')).toHaveProperty('role', 'alert');
  stubRoute();
  await start();
  expect(screen.queryByText('agent: There is no agent.')).toBeNull();
});

it('offers a button where the browser blocks sound, and says what is wrong with the microphone', async () => {
  stubRoute();
  microphone.failure = Object.assign(new Error(), { name: 'NotAllowedError' });
  render(<CallView session={{ agent: 'demo' }} />);
  const room = await start();
  expect(await screen.findByText(/may not use the microphone/)).toBeTruthy();
  act(() => {
    room.canPlaybackAudio = false;
    room.emit('audioPlaybackChanged');
  });
  fireEvent.click(button('Play sound'));
  await waitFor(() => {
    expect(screen.queryByRole('button', { name: 'Play sound' })).toBeNull();
  });
  microphone.failure = null;
  fireEvent.click(button('Turn on microphone'));
  fireEvent.click(await screen.findByRole('button', { name: 'Mute microphone' }));
  expect(await screen.findByRole('button', { name: 'Unmute microphone' })).toBeTruthy();
});

it('shows that it reconnects, and what the agent does', async () => {
  stubRoute();
  render(<CallView session={{ agent: 'demo' }} />);
  const room = await start();
  expect(screen.getByText('Waiting for the agent')).toBeTruthy();
  act(() => {
    room.agentComes();
  });
  expect(screen.getByText('The agent is listening')).toBeTruthy();
  act(() => {
    room.emit('reconnecting');
  });
  expect(screen.getByRole('status').textContent).toBe('Reconnecting…');
});
