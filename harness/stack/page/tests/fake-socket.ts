/** Stands in for a WebSocket to the stack: what the page sends is kept, and the test causes what it receives. */
export class FakeSocket extends EventTarget {
  static all: FakeSocket[] = [];
  readonly sent: unknown[] = [];
  readyState: number = WebSocket.CONNECTING;

  constructor(readonly url: string) {
    super();
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  opens(): void {
    this.readyState = WebSocket.OPEN;
    this.dispatchEvent(new Event('open'));
  }

  tells(message: Record<string, unknown>): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ now_ms: 0, ...message }) }));
  }

  closes(): void {
    this.readyState = WebSocket.CLOSED;
    this.dispatchEvent(new Event('close'));
  }
}

/** Opens a fake one; for `connectToStack`. */
export function openFake(url: string): WebSocket {
  return new FakeSocket(url) as unknown as WebSocket;
}

export function lastSocket(): FakeSocket {
  const socket = FakeSocket.all.at(-1);
  if (socket === undefined) {
    throw new Error('nothing was opened');
  }
  return socket;
}
