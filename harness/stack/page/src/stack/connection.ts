/** The connection to the stack: one WebSocket, which is opened again when it is lost. */
import { type Look, LOOKS_AT_NOTHING, messageIn } from './protocol';
import { after, NOTHING_KNOWN, type StackState } from './state';

const LIVE_PATH = '/stack/live';
const PAGE_PATH = '/stack';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** The stack as the page knows it. */
export interface Stack {
  readonly snapshot: () => StackState;
  /** Calls `listener` after each change; returns how to stop that. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Says what the page looks at from now on. */
  readonly look: (look: Look) => void;
}

export interface ConnectOptions {
  readonly open?: (url: string) => WebSocket;
  readonly now?: () => number;
  /** Asks for the password where the session is over. */
  readonly logIn?: () => Promise<void>;
}

/** Connects for as long as the page is open. */
export function connectToStack(options: ConnectOptions = {}): Stack {
  const connection = new Connection(options);
  connection.connect();
  return connection;
}

class Connection implements Stack {
  readonly #open: (url: string) => WebSocket;
  readonly #now: () => number;
  readonly #logIn: () => Promise<void>;
  readonly #listeners = new Set<() => void>();
  #state = NOTHING_KNOWN;
  #look = LOOKS_AT_NOTHING;
  #socket: WebSocket | null = null;
  #waitMs = FIRST_WAIT_MS;

  constructor({ open = (url) => new WebSocket(url), now = Date.now, logIn = logInAgain }: ConnectOptions) {
    this.#open = open;
    this.#now = now;
    this.#logIn = logIn;
  }

  readonly snapshot = (): StackState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly look = (look: Look): void => {
    const before = this.#look;
    this.#look = look;
    // What is no longer looked at is forgotten, and comes anew from its beginning.
    const conversation = before.watch === look.watch ? this.#state.conversation : null;
    const runCalls = before.run === look.run ? this.#state.runCalls : null;
    const followed = sameCall(before.follow, look.follow);
    const timeline = followed ? this.#state.timeline : null;
    this.#update({ ...this.#state, conversation, runCalls, timeline, problem: null });
    this.#tell({
      ...(before.watch === look.watch ? {} : { watch: look.watch }),
      ...(before.run === look.run ? {} : { run: look.run }),
      ...(followed ? {} : { follow: look.follow }),
    });
  };

  connect(): void {
    const url = new URL(LIVE_PATH, window.location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = this.#open(url.href);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#waitMs = FIRST_WAIT_MS;
      const { watch, run, follow } = this.#look;
      this.#tell({
        ...(watch === null ? {} : { watch }),
        ...(run === null ? {} : { run }),
        ...(follow === null ? {} : { follow }),
      });
    });
    socket.addEventListener('message', ({ data }) => {
      const message = typeof data === 'string' ? messageIn(data) : null;
      if (message !== null) {
        this.#update(after(this.#state, message, this.#now()));
      }
    });
    socket.addEventListener('close', () => {
      this.#update({ ...this.#state, connection: 'lost' });
      void this.#logIn();
      setTimeout(() => {
        this.connect();
      }, this.#waitMs);
      this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
    });
  }

  #tell(look: Partial<Look>): void {
    if (this.#socket?.readyState === WebSocket.OPEN && Object.keys(look).length > 0) {
      this.#socket.send(JSON.stringify(look));
    }
  }

  #update(state: StackState): void {
    this.#state = state;
    this.#listeners.forEach((listener) => {
      listener();
    });
  }
}

function sameCall(one: Look['follow'], other: Look['follow']): boolean {
  return one?.[0] === other?.[0] && one?.[1] === other?.[1];
}

/** Goes to the login page if the stack, which may be another one by now, asks for its password. */
async function logInAgain(): Promise<void> {
  try {
    const answer = await fetch(PAGE_PATH, { redirect: 'manual' });
    if (answer.type === 'opaqueredirect') {
      window.location.reload();
    }
  } catch {
    // The stack is not there; the next attempt tells.
  }
}
