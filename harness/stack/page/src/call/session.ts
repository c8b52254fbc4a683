/** Asks the site's backend route for a session. The route adds the API key; this module never sees one. */

/** The path of the backend route on the site. */
export const SESSION_ROUTE = '/api/voice-agent/session';

const WHEN_EMPTY = 'Failed to create voice-agent session';
const WHEN_INCOMPLETE = 'Session response is missing token or livekit_url';
const SHOWN_CHARACTERS = 500;

/** The agent to call, and what to override for this call. A field that is left out has the agent's own value. */
export interface SessionRequest {
  /** The Agent ID. */
  readonly agent: string;
  /** For example `en`. */
  readonly language?: string;
  readonly system_prompt?: string;
  readonly greeting?: string;
  /** URL of the audio whose voice is used. */
  readonly reference_audio_url?: string;
}

/** What is needed to join the room of a session. */
export interface Session {
  readonly token: string;
  readonly livekitUrl: string;
  readonly roomName: string | null;
}

/** There is no session. The message is for the person who wants to call. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
}

/**
 * Creates a session.
 *
 * @param request The agent and the overrides. Blank overrides are left out.
 * @param options.route URL or path of the backend route; {@link SESSION_ROUTE} by default.
 * @param options.signal Gives up when it is aborted.
 * @throws SessionError The route refused, cannot be reached, or gave an incomplete answer.
 */
export async function createSession(
  request: SessionRequest,
  options: { readonly route?: string; readonly signal?: AbortSignal } = {},
): Promise<Session> {
  const body = JSON.stringify(withoutBlanks(request));
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(options.route ?? SESSION_ROUTE, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
      signal: options.signal ?? null,
    });
    text = await answer.text();
  } catch (problem) {
    options.signal?.throwIfAborted();
    throw new SessionError(WHEN_EMPTY, { cause: problem });
  }
  if (!answer.ok) {
    throw new SessionError(wordsOf(answer, text));
  }
  const session = sessionIn(text);
  if (session === null) {
    throw new SessionError(WHEN_INCOMPLETE);
  }
  return session;
}

function withoutBlanks(request: SessionRequest): Record<string, string> {
  const { agent, language, system_prompt, greeting, reference_audio_url } = request;
  const fields = { agent, language, system_prompt, greeting, reference_audio_url };
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => (field[1] ?? '').trim() !== ''),
  );
}

/** The route's own words; a page of HTML, such as a proxy's, has none. */
function wordsOf(answer: Response, text: string): string {
  const isHtml = (answer.headers.get('Content-Type') ?? '').toLowerCase().includes('html');
  const words = isHtml ? '' : text.trim();
  return words.slice(0, SHOWN_CHARACTERS) || WHEN_EMPTY;
}

function sessionIn(text: string): Session | null {
  const data = field(parsed(text), 'data');
  const token = field(data, 'token');
  const livekitUrl = field(data, 'livekit_url');
  const roomName = field(data, 'room_name');
  if (typeof token !== 'string' || token === '' || typeof livekitUrl !== 'string' || livekitUrl === '') {
    return null;
  }
  return { token, livekitUrl, roomName: typeof roomName === 'string' ? roomName : null };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
