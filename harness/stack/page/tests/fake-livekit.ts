/** Stands in for `livekit-client` in unit tests: a room whose events the test causes. tests/browser has the real one. */
import { vi } from 'vitest';

type Listener = (...values: unknown[]) => void;

export class FakeTrack {
  kind = 'audio';
  stopped = false;
  muted = false;
  readonly elements: HTMLMediaElement[] = [];

  attach(): HTMLMediaElement {
    const element = document.createElement('audio');
    this.elements.push(element);
    return element;
  }

  detach(): HTMLMediaElement[] {
    return this.elements.splice(0);
  }

  stop(): void {
    this.stopped = true;
  }

  mute(): Promise<void> {
    this.muted = true;
    return Promise.resolve();
  }

  unmute(): Promise<void> {
    this.muted = false;
    return Promise.resolve();
  }
}

export class FakeRoom {
  static all: FakeRoom[] = [];
  readonly remoteParticipants = new Map<string, { attributes: Record<string, string>; isSpeaking: boolean }>();
  readonly sent: { payload: Uint8Array; options: unknown }[] = [];
  readonly published: FakeTrack[] = [];
  readonly #listeners = new Map<string, Listener[]>();
  canPlaybackAudio = true;
  connectedTo: [string, string] | null = null;
  disconnected = 0;
  listeners = 0;
  sendFails = false;
  connectFails = false;
  readonly localParticipant = {
    publishData: (payload: Uint8Array, options: unknown): Promise<void> => {
      if (this.sendFails) {
        return Promise.reject(new Error('no data channel'));
      }
      this.sent.push({ payload, options });
      return Promise.resolve();
    },
    publishTrack: (track: FakeTrack): Promise<void> => {
      this.published.push(track);
      return Promise.resolve();
    },
  };

  constructor() {
    FakeRoom.all.push(this);
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  emit(event: string, ...values: unknown[]): void {
    this.#listeners.get(event)?.forEach((listener) => {
      listener(...values);
    });
  }

  removeAllListeners(): void {
    this.#listeners.clear();
  }

  connect(url: string, token: string): Promise<void> {
    this.connectedTo = [url, token];
    return this.connectFails ? Promise.reject(new Error('no route')) : Promise.resolve();
  }

  disconnect(): Promise<void> {
    this.disconnected += 1;
    return Promise.resolve();
  }

  startAudio(): Promise<void> {
    this.canPlaybackAudio = true;
    return Promise.resolve();
  }

  /** The agent comes, is subscribed to, and says this. */
  agentComes(): FakeTrack {
    this.remoteParticipants.set('agent', { attributes: {}, isSpeaking: false });
    this.emit('participantConnected');
    const track = new FakeTrack();
    this.emit('trackSubscribed', track, undefined, { identity: 'agent' });
    return track;
  }

  receive(frame: unknown, topic = 'voice.reply'): void {
    this.emit('dataReceived', new TextEncoder().encode(JSON.stringify(frame)), undefined, undefined, topic);
  }
}

export const microphone = { track: new FakeTrack(), failure: null as Error | null };

export function fakeLiveKit(): Record<string, unknown> {
  return {
    Room: FakeRoom,
    RemoteAudioTrack: FakeTrack,
    LogLevel: { warn: 3 },
    setLogLevel: () => undefined,
    RoomEvent: {
      ParticipantConnected: 'participantConnected',
      ParticipantDisconnected: 'participantDisconnected',
      ParticipantAttributesChanged: 'participantAttributesChanged',
      ActiveSpeakersChanged: 'activeSpeakersChanged',
      TrackSubscribed: 'trackSubscribed',
      TrackUnsubscribed: 'trackUnsubscribed',
      DataReceived: 'dataReceived',
      AudioPlaybackStatusChanged: 'audioPlaybackChanged',
      SignalReconnecting: 'signalReconnecting',
      Reconnecting: 'reconnecting',
      Reconnected: 'reconnected',
      Disconnected: 'disconnected',
    },
    Track: { Kind: { Audio: 'audio' }, Source: { Microphone: 'microphone' } },
    DisconnectReason: {
      CLIENT_INITIATED: 1,
      DUPLICATE_IDENTITY: 2,
      SERVER_SHUTDOWN: 3,
      PARTICIPANT_REMOVED: 4,
      ROOM_DELETED: 5,
      ROOM_CLOSED: 10,
    },
    MediaDeviceFailure: {
      PermissionDenied: 'PermissionDenied',
      NotFound: 'NotFound',
      getFailure: (problem: Error | undefined) =>
        ({ NotAllowedError: 'PermissionDenied', NotFoundError: 'NotFound' })[problem?.name ?? ''],
    },
    createLocalAudioTrack: () =>
      microphone.failure === null ? Promise.resolve(microphone.track) : Promise.reject(microphone.failure),
    createAudioAnalyser: () => ({ calculateVolume: () => 0.2, cleanup: () => Promise.resolve() }),
  };
}

/** A backend route that answers this; its requests are returned. */
export function stubRoute(answer: () => Response | Promise<Response> = goodSession): ReturnType<typeof vi.fn> {
  const route = vi.fn(() => Promise.resolve(answer()));
  vi.stubGlobal('fetch', route);
  return route;
}

export function goodSession(): Response {
  return new Response(JSON.stringify({ data: { token: 'eyJ', livekit_url: 'ws://127.0.0.1:1' } }));
}

/** As at the start of each test: no room, a microphone that works. */
export function reset(): void {
  FakeRoom.all = [];
  microphone.track = new FakeTrack();
  microphone.failure = null;
  vi.unstubAllGlobals();
}

export function lastRoom(): FakeRoom {
  const room = FakeRoom.all.at(-1);
  if (room === undefined) {
    throw new Error('no room was made');
  }
  return room;
}
