import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import {
  allowAudio,
  endVoiceAgentCall,
  microphoneLevel,
  sendTextMessage,
  setMicrophoneMuted,
  startVoiceAgentCall,
  type VoiceAgentCall,
} from '../src/call/voice-agent';
import { FakeRoom, FakeTrack, goodSession, lastRoom, microphone, reset, stubRoute } from './fake-livekit';

vi.mock('livekit-client', async () => (await import('./fake-livekit')).fakeLiveKit());

let call: VoiceAgentCall | null = null;

beforeEach(reset);
afterEach(async () => {
  if (call !== null) {
    await endVoiceAgentCall(call);
  }
});

async function liveCall(): Promise<{ call: VoiceAgentCall; room: FakeRoom }> {
  stubRoute();
  call = startVoiceAgentCall({ agent: 'demo' });
  await call.connected;
  await vi.waitFor(() => {
    expect(call?.snapshot().microphone).not.toBe('starting');
  });
  return { call, room: lastRoom() };
}

const texts = (one: VoiceAgentCall): string[] => one.snapshot().messages.map(({ role, text }) => `${role}: ${text}`);

it('joins the room of the session, publishes the microphone, and plays the agent', async () => {
  const { call, room } = await liveCall();
  expect(room.connectedTo).toEqual(['ws://127.0.0.1:1', 'eyJ']);
  expect(room.published).toEqual([microphone.track]);
  expect(call.snapshot()).toMatchObject({ state: 'live', microphone: 'on', agent: 'absent', problem: null });
  expect(microphoneLevel(call)).toBeCloseTo(0.2);
  const [voice] = [room.agentComes()];
  expect(document.querySelectorAll('audio')).toHaveLength(1);
  room.emit('trackUnsubscribed', voice);
  expect(document.querySelectorAll('audio')).toHaveLength(0);
});

it('leaves video alone', async () => {
  const { room } = await liveCall();
  const track = new FakeTrack();
  track.kind = 'video';
  room.emit('trackSubscribed', track);
  expect(document.querySelectorAll('audio, video')).toHaveLength(0);
});

it('shows a typed message at once, sends it trimmed and reliably, and shows its echo no second time', async () => {
  const { call, room } = await liveCall();
  const sending = sendTextMessage(call, '  Are you open?  ');
  expect(texts(call)).toEqual(['user: Are you open?']);
  expect(await sending).toBe(true);
  const [sent] = room.sent;
  expect(JSON.parse(new TextDecoder().decode(sent?.payload))).toEqual({ type: 'user_text', text: 'Are you open?' });
  expect(sent?.options).toEqual({ reliable: true, topic: 'voice.user_text' });
  room.receive({ type: 'user_text', text: 'Are you open?' });
  room.receive({ type: 'agent_text', text: 'From nine to six.' });
  room.receive({ type: 'user_text', text: 'Are you open?' });
  expect(texts(call)).toEqual(['user: Are you open?', 'agent: From nine to six.', 'user: Are you open?']);
});

it('sends nothing blank, and nothing before or after the call', async () => {
  stubRoute();
  call = startVoiceAgentCall({ agent: 'demo' });
  expect(await sendTextMessage(call, 'too early')).toBe(false);
  await call.connected;
  expect(await sendTextMessage(call, ' \n ')).toBe(false);
  await endVoiceAgentCall(call);
  expect(await sendTextMessage(call, 'too late')).toBe(false);
  expect(lastRoom().sent).toEqual([]);
  expect(texts(call)).toEqual([]);
});

it('marks a message that could not be sent', async () => {
  const { call, room } = await liveCall();
  room.sendFails = true;
  expect(await sendTextMessage(call, 'Hello')).toBe(false);
  expect(call.snapshot().messages).toMatchObject([{ text: 'Hello', failed: true }]);
});

it('ignores other topics and junk', async () => {
  const { call, room } = await liveCall();
  room.receive({ type: 'agent_text', text: 'x' }, 'voice.tool_call');
  room.receive(['junk']);
  room.emit('dataReceived', new Uint8Array([0xff]), undefined, undefined, 'voice.reply');
  expect(texts(call)).toEqual([]);
});

it('follows what the agent does', async () => {
  const { call, room } = await liveCall();
  const agent = (): string => call.snapshot().agent;
  expect(agent()).toBe('absent');
  room.agentComes();
  expect(agent()).toBe('listening');
  const here = room.remoteParticipants.get('agent');
  if (here === undefined) {
    throw new Error('no agent');
  }
  here.isSpeaking = true;
  room.emit('activeSpeakersChanged');
  expect(agent()).toBe('speaking');
  here.isSpeaking = false;
  await sendTextMessage(call, 'Hello');
  expect(agent()).toBe('thinking');
  room.receive({ type: 'user_text', text: 'Hello' });
  expect(agent()).toBe('thinking');
  room.receive({ type: 'agent_text', text: 'Hi' });
  expect(agent()).toBe('listening');
  here.attributes['lk.agent.state'] = 'thinking';
  room.emit('participantAttributesChanged');
  expect(agent()).toBe('thinking');
  room.remoteParticipants.clear();
  room.emit('participantDisconnected');
  expect(agent()).toBe('gone');
});

it.each([
  ['NotAllowedError', 'refused'],
  ['NotFoundError', 'missing'],
  ['NotReadableError', 'failed'],
])('stays live without a microphone (%s), which can be turned on later', async (name, state) => {
  microphone.failure = Object.assign(new Error(name), { name });
  const { call, room } = await liveCall();
  expect(call.snapshot()).toMatchObject({ state: 'live', microphone: state });
  expect(await sendTextMessage(call, 'Hello')).toBe(true);
  microphone.failure = null;
  await setMicrophoneMuted(call, false);
  expect(call.snapshot().microphone).toBe('on');
  expect(room.published).toEqual([microphone.track]);
});

it('mutes and opens the microphone', async () => {
  const { call } = await liveCall();
  await setMicrophoneMuted(call, true);
  expect([call.snapshot().microphone, microphone.track.muted, microphoneLevel(call)]).toEqual(['muted', true, 0]);
  await setMicrophoneMuted(call, false);
  expect([call.snapshot().microphone, microphone.track.muted]).toEqual(['on', false]);
});

it('says that the browser blocks sound until it is allowed', async () => {
  const { call, room } = await liveCall();
  room.canPlaybackAudio = false;
  room.emit('audioPlaybackChanged');
  expect(call.snapshot().audioBlocked).toBe(true);
  await allowAudio(call);
  expect(call.snapshot().audioBlocked).toBe(false);
});

it('says that it reconnects', async () => {
  const { call, room } = await liveCall();
  room.emit('signalReconnecting');
  expect(call.snapshot().reconnecting).toBe(true);
  room.emit('reconnected');
  expect(call.snapshot().reconnecting).toBe(false);
});

it.each([
  [5, 'The call was ended by the agent.'],
  [2, 'The call was ended: it was joined from another place.'],
  [undefined, 'The connection was lost.'],
])('says why the call ended by itself (%s)', async (reason, words) => {
  const { call, room } = await liveCall();
  room.emit('disconnected', reason);
  expect(call.snapshot()).toMatchObject({ state: 'ended', problem: words });
  expect(microphone.track.stopped).toBe(true);
});

it('leaves nothing behind', async () => {
  const { call, room } = await liveCall();
  room.agentComes();
  await Promise.all([endVoiceAgentCall(call), endVoiceAgentCall(call)]);
  expect(microphone.track.stopped).toBe(true);
  expect(document.querySelectorAll('audio')).toHaveLength(0);
  expect(room.disconnected).toBe(1);
  expect(call.snapshot()).toMatchObject({ state: 'ended', problem: null });
  room.receive({ type: 'agent_text', text: 'too late' });
  expect(texts(call)).toEqual([]);
});

it('is one call however often it is started, and a new one after its end', async () => {
  const route = stubRoute();
  call = startVoiceAgentCall({ agent: 'demo' });
  expect(startVoiceAgentCall({ agent: 'other' })).toBe(call);
  await call.connected;
  expect(startVoiceAgentCall({ agent: 'demo' })).toBe(call);
  expect([route.mock.calls.length, FakeRoom.all.length]).toEqual([1, 1]);
  await endVoiceAgentCall(call);
  const next = startVoiceAgentCall({ agent: 'demo' });
  expect(next).not.toBe(call);
  call = next;
});

it('can be ended while it connects', async () => {
  let answer: (response: Response) => void = () => undefined;
  stubRoute(() => new Promise((resolve) => (answer = resolve)));
  call = startVoiceAgentCall({ agent: 'demo' });
  await endVoiceAgentCall(call);
  answer(goodSession());
  await expect(call.connected).rejects.toThrow();
  expect(lastRoom().connectedTo).toBeNull();
  expect(call.snapshot()).toMatchObject({ state: 'ended', problem: null });
});

it('stops a microphone that opens after the end', async () => {
  stubRoute();
  call = startVoiceAgentCall({ agent: 'demo' });
  await call.connected;
  await endVoiceAgentCall(call);
  await vi.waitFor(() => {
    expect(microphone.track.stopped).toBe(true);
  });
});

it("says the route's words where there is no session, and its own where the room cannot be joined", async () => {
  stubRoute(() => new Response('agent: There is no agent.', { status: 404 }));
  call = startVoiceAgentCall({ agent: 'x' });
  await expect(call.connected).rejects.toThrow('agent: There is no agent.');
  expect(call.snapshot()).toMatchObject({ state: 'ended', problem: 'agent: There is no agent.' });
  stubRoute();
  call = startVoiceAgentCall({ agent: 'demo' });
  lastRoom().connectFails = true;
  await expect(call.connected).rejects.toThrow('no route');
  expect(call.snapshot().problem).toMatch(/could not be connected/);
});
