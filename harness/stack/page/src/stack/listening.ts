/**
 * Listening in on a running call: a hidden participant that sends nothing. Imported when somebody listens, since
 * `livekit-client` is most of what the page would load.
 */
import {
  createAudioAnalyser,
  LogLevel,
  RemoteAudioTrack,
  type RemoteTrack,
  Room,
  RoomEvent,
  setLogLevel,
} from 'livekit-client';

const LISTEN_PATH = '/stack/listen';
const FAILED = 'Listening in failed: the stack cannot be reached.';
const NOT_JOINED = 'The call could not be joined. Listening in works in a browser on the stack’s own machine.';

export type ListeningState = 'connecting' | 'listening' | 'ended';

export interface ListeningSnapshot {
  readonly state: ListeningState;
  /** Whose voices are heard: their identities in the room. */
  readonly heard: readonly string[];
  /** The browser plays no sound until `allow` is called from a click. */
  readonly audioBlocked: boolean;
  /** Why it did not begin, in words for a person. */
  readonly problem: string | null;
}

setLogLevel(LogLevel.warn);

interface Voice {
  readonly identity: string;
  readonly element: HTMLMediaElement;
  readonly analyser: ReturnType<typeof createAudioAnalyser>;
}

/** Starts to listen to the call in that room, and returns at once. */
export function listenTo(room: string): Listening {
  return new Listening(room);
}

export class Listening {
  readonly #room = new Room();
  readonly #voices = new Map<RemoteTrack, Voice>();
  readonly #listeners = new Set<() => void>();
  #snapshot: ListeningSnapshot = { state: 'connecting', heard: [], audioBlocked: false, problem: null };

  constructor(room: string) {
    this.#follow();
    void this.#join(room);
  }

  readonly snapshot = (): ListeningSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The level of a voice at this moment, from 0 to 1. */
  level(identity: string): number {
    const levels = [...this.#voices.values()]
      .filter((voice) => voice.identity === identity)
      .map((voice) => voice.analyser.calculateVolume());
    return Math.min(1, Math.max(0, ...levels));
  }

  /** Plays the sound where the browser blocked it; call it from a click. */
  async allow(): Promise<void> {
    await this.#room.startAudio();
    this.#update({ audioBlocked: !this.#room.canPlaybackAudio });
  }

  /** Leaves the room. Stopping twice is the same as stopping once. */
  async stop(problem: string | null = null): Promise<void> {
    if (this.#snapshot.state === 'ended') {
      return;
    }
    this.#room.removeAllListeners();
    [...this.#voices.keys()].forEach((track) => {
      this.#silence(track);
    });
    this.#update({ state: 'ended', heard: [], audioBlocked: false, problem });
    await this.#room.disconnect();
  }

  async #join(room: string): Promise<void> {
    const access = await accessTo(room);
    if ('problem' in access) {
      await this.stop(access.problem);
      return;
    }
    try {
      if (this.#snapshot.state === 'connecting') {
        await this.#room.connect(access.livekit_url, access.token);
      }
    } catch {
      await this.stop(NOT_JOINED);
      return;
    }
    if (this.#snapshot.state === 'ended') {
      await this.#room.disconnect(); // stopped while it was connecting
      return;
    }
    this.#update({ state: 'listening', audioBlocked: !this.#room.canPlaybackAudio });
  }

  #follow(): void {
    this.#room
      .on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
        this.#play(track, participant.identity);
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => {
        this.#silence(track);
        this.#update({});
      })
      .on(RoomEvent.ParticipantDisconnected, () => {
        if (this.#room.remoteParticipants.size === 0) {
          void this.stop();
        }
      })
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.#update({ audioBlocked: !this.#room.canPlaybackAudio });
      })
      .on(RoomEvent.Disconnected, () => {
        if (this.#snapshot.state === 'listening') {
          void this.stop();
        }
      });
  }

  #play(track: RemoteTrack, identity: string): void {
    if (!(track instanceof RemoteAudioTrack)) {
      return;
    }
    const element = track.attach();
    document.body.append(element);
    this.#voices.set(track, { identity, element, analyser: createAudioAnalyser(track) });
    this.#update({});
  }

  #silence(track: RemoteTrack): void {
    track.detach();
    // The client has let go of the element already where the room has ended.
    this.#voices.get(track)?.element.remove();
    void this.#voices.get(track)?.analyser.cleanup();
    this.#voices.delete(track);
  }

  #update(change: Partial<ListeningSnapshot>): void {
    if (this.#snapshot.state === 'ended') {
      return;
    }
    const heard = [...new Set([...this.#voices.values()].map((voice) => voice.identity))].sort();
    this.#snapshot = { ...this.#snapshot, heard, ...change };
    this.#listeners.forEach((listener) => {
      listener();
    });
  }
}

async function accessTo(room: string): Promise<{ token: string; livekit_url: string } | { problem: string }> {
  try {
    const answer = await fetch(LISTEN_PATH, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ room }),
    });
    if (!answer.ok) {
      return { problem: (await answer.text()) || FAILED };
    }
    return (await answer.json()) as { token: string; livekit_url: string };
  } catch {
    return { problem: FAILED };
  }
}
