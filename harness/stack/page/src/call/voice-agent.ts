/**
 * A call of a voice agent from a browser: session, room, microphone, the agent's voice, and texts.
 *
 *     const call = startVoiceAgentCall({ agent: 'agent_0123456789abcdef' });
 *     call.subscribe(() => render(call.snapshot()));
 *     await call.connected;
 *     await sendTextMessage(call, 'Are you open on Sunday?');
 *     await endVoiceAgentCall(call);
 *
 * It needs `livekit-client` and the site's backend route (`session.ts`), and no framework. Call it from a click: browsers
 * play sound only after one.
 */
import {
  createAudioAnalyser,
  createLocalAudioTrack,
  DisconnectReason,
  type LocalAudioTrack,
  type LocalTrack,
  MediaDeviceFailure,
  type RemoteTrack,
  Room,
  RoomEvent,
  Track,
} from 'livekit-client';

import { Conversation, type Message, outgoing, readReply, TOPIC_IN, TOPIC_OUT } from './conversation';
import { createSession, SessionError, type SessionRequest } from './session';

export type CallState = 'connecting' | 'live' | 'ended';

/** `absent`: it has not come yet; `gone`: it has left the room. */
export type AgentState = 'absent' | 'listening' | 'thinking' | 'speaking' | 'gone';

/** `refused`: the person or the browser denies it; `missing`: there is none; `failed`: it is there and cannot be used. */
export type MicrophoneState = 'starting' | 'on' | 'muted' | 'refused' | 'missing' | 'failed';

/** A call at one moment. A new object after each change. */
export interface CallSnapshot {
  readonly state: CallState;
  readonly messages: readonly Message[];
  readonly agent: AgentState;
  readonly microphone: MicrophoneState;
  /** The connection was lost and is being restored. */
  readonly reconnecting: boolean;
  /** The browser plays no sound until {@link allowAudio} is called from a click. */
  readonly audioBlocked: boolean;
  /** Why the call did not begin, or ended by itself, in words for a person. */
  readonly problem: string | null;
}

export interface CallOptions {
  /** URL or path of the backend route; `/api/voice-agent/session` by default. */
  readonly route?: string;
}

/** A call that was started. Use the functions of this module to act on it. */
export interface VoiceAgentCall {
  /** Resolves once the call is live; rejects with the reason if it never is. */
  readonly connected: Promise<void>;
  readonly snapshot: () => CallSnapshot;
  /** Calls `listener` after each change; returns how to stop that. */
  readonly subscribe: (listener: () => void) => () => void;
}

const AGENT_STATE_ATTRIBUTE = 'lk.agent.state';
const JOIN_FAILED = 'The call could not be connected. Please check your network and try again.';
const ENDED_BY_OTHERS = 'The call was ended by the agent.';
const JOINED_ELSEWHERE = 'The call was ended: it was joined from another place.';
const CONNECTION_LOST = 'The connection was lost.';

let running: Call | null = null;

/**
 * Starts a call and returns at once; follow it by its snapshots. There is one call at a time: while one is connecting or
 * live, this does nothing and returns that one.
 */
export function startVoiceAgentCall(request: SessionRequest, options: CallOptions = {}): VoiceAgentCall {
  if (running === null || running.snapshot().state === 'ended') {
    running = new Call(request, options);
  }
  return running;
}

/**
 * Sends a typed message; it is shown at once. A blank text is not sent, and nothing is while the call is not live.
 *
 * @returns Whether it was sent. A message that could not be sent is marked as `failed`.
 */
export function sendTextMessage(call: VoiceAgentCall, text: string): Promise<boolean> {
  return own(call).send(text.trim());
}

/** Ends the call: microphone off, then leave the room. Ending twice is the same as ending once. */
export function endVoiceAgentCall(call: VoiceAgentCall): Promise<void> {
  return own(call).end(null);
}

/** Mutes the microphone or opens it again. Where it could not be opened, opening it tries once more. */
export function setMicrophoneMuted(call: VoiceAgentCall, muted: boolean): Promise<void> {
  return own(call).setMuted(muted);
}

/** Lets the agent be heard where the browser blocked it; call it from a click. */
export function allowAudio(call: VoiceAgentCall): Promise<void> {
  return own(call).allowAudio();
}

/** The microphone's level at this moment, from 0 to 1; 0 while it is off. */
export function microphoneLevel(call: VoiceAgentCall): number {
  return own(call).level();
}

function own(call: VoiceAgentCall): Call {
  if (!(call instanceof Call)) {
    throw new TypeError('this is no call that startVoiceAgentCall returned');
  }
  return call;
}

class Call implements VoiceAgentCall {
  readonly connected: Promise<void>;
  readonly #room = new Room();
  readonly #conversation = new Conversation();
  readonly #giveUp = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #heard = new Map<RemoteTrack, HTMLMediaElement>();
  #microphone: LocalAudioTrack | null = null;
  #analyser: ReturnType<typeof createAudioAnalyser> | null = null;
  #awaitsReply = false;
  #agentCame = false;
  #ending: Promise<void> | null = null;
  #snapshot: CallSnapshot = {
    state: 'connecting',
    messages: [],
    agent: 'absent',
    microphone: 'starting',
    reconnecting: false,
    audioBlocked: false,
    problem: null,
  };

  constructor(request: SessionRequest, options: CallOptions) {
    this.#listen();
    this.connected = this.#connect(request, options);
    this.connected.catch(() => undefined); // whoever only looks at the snapshots sees `problem`
  }

  readonly snapshot = (): CallSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async send(text: string): Promise<boolean> {
    if (text === '' || this.#snapshot.state !== 'live') {
      return false;
    }
    const message = this.#conversation.typed(text);
    this.#awaitsReply = true;
    this.#update();
    try {
      await this.#room.localParticipant.publishData(outgoing(text), { reliable: true, topic: TOPIC_OUT });
      return true;
    } catch {
      this.#conversation.notSent(message);
      this.#awaitsReply = false;
      this.#update();
      return false;
    }
  }

  async setMuted(muted: boolean): Promise<void> {
    if (this.#snapshot.state !== 'live') {
      return;
    }
    if (this.#microphone === null) {
      await (muted ? undefined : this.#openMicrophone());
      return;
    }
    await (muted ? this.#microphone.mute() : this.#microphone.unmute());
    this.#update({ microphone: muted ? 'muted' : 'on' });
  }

  async allowAudio(): Promise<void> {
    await this.#room.startAudio();
    this.#update({ audioBlocked: !this.#room.canPlaybackAudio });
  }

  level(): number {
    return this.#snapshot.microphone === 'on' ? Math.min(1, this.#analyser?.calculateVolume() ?? 0) : 0;
  }

  end(problem: string | null): Promise<void> {
    this.#ending ??= this.#leave(problem);
    return this.#ending;
  }

  async #connect(request: SessionRequest, options: CallOptions): Promise<void> {
    const { signal } = this.#giveUp;
    try {
      const session = await createSession(request, { ...options, signal });
      signal.throwIfAborted();
      await this.#room.connect(session.livekitUrl, session.token);
      signal.throwIfAborted();
    } catch (problem) {
      await this.end(problem instanceof SessionError ? problem.message : JOIN_FAILED);
      throw problem;
    }
    this.#update({ state: 'live', audioBlocked: !this.#room.canPlaybackAudio });
    void this.#openMicrophone();
  }

  async #openMicrophone(): Promise<void> {
    this.#update({ microphone: 'starting' });
    let track: LocalAudioTrack | null = null;
    try {
      track = await createLocalAudioTrack({ echoCancellation: true, noiseSuppression: true, autoGainControl: true });
      if (this.#ending === null) {
        // The cast is for LiveKit's types, which `exactOptionalPropertyTypes` takes at their word.
        await this.#room.localParticipant.publishTrack(track as LocalTrack, { source: Track.Source.Microphone });
      }
    } catch (problem) {
      track?.stop();
      this.#update({ microphone: microphoneFailure(problem) });
      return;
    }
    if (this.#ending !== null) {
      track.stop();
      return;
    }
    this.#microphone = track;
    this.#analyser = createAudioAnalyser(track);
    this.#update({ microphone: 'on' });
  }

  async #leave(problem: string | null): Promise<void> {
    this.#giveUp.abort();
    this.#room.removeAllListeners();
    void this.#analyser?.cleanup();
    this.#microphone?.stop();
    [...this.#heard.keys()].forEach((track) => {
      this.#silence(track);
    });
    this.#update({ state: 'ended', problem, reconnecting: false, audioBlocked: false });
    await this.#room.disconnect();
  }

  #listen(): void {
    const refresh = (): void => {
      this.#update();
    };
    this.#room
      .on(RoomEvent.ParticipantConnected, refresh)
      .on(RoomEvent.ParticipantDisconnected, refresh)
      .on(RoomEvent.ParticipantAttributesChanged, refresh)
      .on(RoomEvent.ActiveSpeakersChanged, refresh)
      .on(RoomEvent.TrackSubscribed, (track) => {
        this.#play(track);
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => {
        this.#silence(track);
      })
      .on(RoomEvent.DataReceived, (payload, _participant, _kind, topic) => {
        if (topic === TOPIC_IN) {
          this.#receive(payload);
        }
      })
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.#update({ audioBlocked: !this.#room.canPlaybackAudio });
      })
      .on(RoomEvent.SignalReconnecting, () => {
        this.#update({ reconnecting: true });
      })
      .on(RoomEvent.Reconnecting, () => {
        this.#update({ reconnecting: true });
      })
      .on(RoomEvent.Reconnected, () => {
        this.#update({ reconnecting: false });
      })
      .on(RoomEvent.Disconnected, (reason) => {
        // Before the call is live `connect` says what went wrong.
        if (this.#snapshot.state === 'live') {
          void this.end(endedWords(reason));
        }
      });
  }

  #play(track: RemoteTrack): void {
    if (track.kind !== Track.Kind.Audio) {
      return;
    }
    const element = track.attach();
    this.#heard.set(track, element);
    document.body.append(element);
    this.#update();
  }

  #silence(track: RemoteTrack): void {
    track.detach();
    // The client has let go of the element already where the room has ended.
    this.#heard.get(track)?.remove();
    this.#heard.delete(track);
  }

  #receive(payload: Uint8Array): void {
    const reply = readReply(payload);
    if (reply === null) {
      return;
    }
    if (this.#conversation.received(reply)) {
      this.#awaitsReply = reply.role === 'user';
    }
    this.#update();
  }

  #agent(): AgentState {
    const others = [...this.#room.remoteParticipants.values()];
    this.#agentCame ||= others.length > 0;
    if (others.length === 0) {
      return this.#agentCame ? 'gone' : 'absent';
    }
    const said = others.map((other) => other.attributes[AGENT_STATE_ATTRIBUTE]);
    const told = (['speaking', 'thinking', 'listening'] as const).find((state) => said.includes(state));
    if (told !== undefined) {
      return told;
    }
    if (others.some((other) => other.isSpeaking)) {
      return 'speaking';
    }
    return this.#awaitsReply ? 'thinking' : 'listening';
  }

  #update(change: Partial<CallSnapshot> = {}): void {
    const ended = this.#snapshot.state === 'ended';
    if (ended) {
      return;
    }
    const { messages } = this.#conversation;
    this.#snapshot = { ...this.#snapshot, agent: this.#agent(), messages, ...change };
    this.#listeners.forEach((listener) => {
      listener();
    });
  }
}

function microphoneFailure(problem: unknown): MicrophoneState {
  switch (MediaDeviceFailure.getFailure(problem instanceof Error ? problem : undefined)) {
    case MediaDeviceFailure.PermissionDenied:
      return 'refused';
    case MediaDeviceFailure.NotFound:
      return 'missing';
    default:
      return 'failed';
  }
}

function endedWords(reason: DisconnectReason | undefined): string | null {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return null;
    case DisconnectReason.DUPLICATE_IDENTITY:
      return JOINED_ELSEWHERE;
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return ENDED_BY_OTHERS;
    default:
      return CONNECTION_LOST;
  }
}
