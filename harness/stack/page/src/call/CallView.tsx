import './CallView.css';

import { useCallback, useEffect, useId, useRef, useState, useSyncExternalStore } from 'react';

import type { Message } from './conversation';
import { LevelMeter } from './LevelMeter';
import type { SessionRequest } from './session';
import {
  type AgentState,
  allowAudio,
  type CallSnapshot,
  endVoiceAgentCall,
  microphoneLevel,
  type MicrophoneState,
  sendTextMessage,
  setMicrophoneMuted,
  startVoiceAgentCall,
  type VoiceAgentCall,
} from './voice-agent';

export type CallViewState = 'idle' | 'connecting' | 'live';

export interface CallViewProps {
  /** The agent to call, and the overrides for the next call. */
  readonly session: SessionRequest;
  /** URL or path of the backend route; `/api/voice-agent/session` by default. */
  readonly route?: string;
  /** Names the view for screen readers. */
  readonly label?: string;
  /** Called after the view's state has changed. */
  readonly onState?: (state: CallViewState) => void;
}

const AGENT_WORDS: Record<AgentState, string> = {
  absent: 'Waiting for the agent',
  listening: 'The agent is listening',
  thinking: 'The agent is thinking',
  speaking: 'The agent is speaking',
  gone: 'The agent has left',
};

const MICROPHONE_WORDS: Partial<Record<MicrophoneState, string>> = {
  refused:
    'The browser may not use the microphone. Allow it in the address bar and turn it on again. Typing works without it.',
  missing: 'No microphone was found. Connect one and turn it on again. Typing works without it.',
  failed: 'The microphone cannot be used; another program may have it. Typing works without it.',
};

/** A call of a voice agent: start and end, the conversation, a text box. Unmounting it ends the call. */
export function CallView({ session, route, label = 'Voice call', onState }: CallViewProps): React.JSX.Element {
  const [call, setCall] = useState<VoiceAgentCall | null>(null);
  const current = useRef<VoiceAgentCall | null>(null);
  const snapshot = useSyncExternalStore(call?.subscribe ?? neverChanges, call?.snapshot ?? noCall);
  const state = stateOf(snapshot);

  useEffect(
    () => () => {
      if (current.current !== null) {
        void endVoiceAgentCall(current.current);
      }
    },
    [],
  );
  useEffect(() => {
    onState?.(state);
  }, [state, onState]);

  const start = (): void => {
    if (state === 'idle') {
      current.current = startVoiceAgentCall(session, route === undefined ? {} : { route });
      setCall(current.current);
    }
  };
  const end = (): void => {
    if (call !== null) {
      void endVoiceAgentCall(call);
    }
  };

  return (
    <section className="va-call" aria-label={label} data-state={state}>
      <div className="va-top">
        <Status state={state} snapshot={snapshot} />
        {/* Both are always there: a double click on the one cannot hit the other, and the focus is not lost. */}
        <div className="va-buttons">
          <button type="button" className="va-start" aria-disabled={state !== 'idle'} onClick={start}>
            Start call
          </button>
          <button type="button" className="va-end" aria-disabled={state === 'idle'} onClick={end}>
            End call
          </button>
        </div>
      </div>
      <p role="alert" className="va-problem">
        {snapshot?.problem}
      </p>
      {call !== null && snapshot !== null && state === 'live' && <LiveParts call={call} snapshot={snapshot} />}
      <Messages messages={snapshot?.messages ?? []} />
      <TextBox call={call} live={state === 'live'} />
    </section>
  );
}

function neverChanges(): () => void {
  return () => undefined;
}

function noCall(): CallSnapshot | null {
  return null;
}

function stateOf(snapshot: CallSnapshot | null): CallViewState {
  return snapshot === null || snapshot.state === 'ended' ? 'idle' : snapshot.state;
}

interface StatusProps {
  readonly state: CallViewState;
  readonly snapshot: CallSnapshot | null;
}

function Status({ state, snapshot }: StatusProps): React.JSX.Element {
  const words = { idle: snapshot === null ? 'Not in a call' : 'Call ended', connecting: 'Connecting…', live: 'Live' };
  return (
    <div className="va-status">
      <p role="status" className="va-state">
        <span className="va-dot" aria-hidden="true" />
        {snapshot?.reconnecting === true ? 'Reconnecting…' : words[state]}
      </p>
      {/* Not announced: it changes with each sentence. */}
      <p className="va-agent-state">{state === 'live' && snapshot !== null && AGENT_WORDS[snapshot.agent]}</p>
    </div>
  );
}

interface LivePartsProps {
  readonly call: VoiceAgentCall;
  readonly snapshot: CallSnapshot;
}

function LiveParts({ call, snapshot }: LivePartsProps): React.JSX.Element {
  const level = useCallback(() => microphoneLevel(call), [call]);
  const { microphone, audioBlocked } = snapshot;
  const words = MICROPHONE_WORDS[microphone];
  return (
    <div className="va-live">
      {audioBlocked && (
        <p className="va-notice" role="alert">
          The browser has blocked the agent’s voice.{' '}
          <button type="button" onClick={() => void allowAudio(call)}>
            Play sound
          </button>
        </p>
      )}
      {words !== undefined && (
        <p className="va-notice" role="alert">
          {words}
        </p>
      )}
      <div className="va-microphone">
        <button
          type="button"
          aria-disabled={microphone === 'starting'}
          onClick={() => void setMicrophoneMuted(call, microphone === 'on')}
        >
          {microphoneButton(microphone)}
        </button>
        {microphone === 'on' && <LevelMeter level={level} />}
      </div>
    </div>
  );
}

function microphoneButton(microphone: MicrophoneState): string {
  if (microphone === 'starting') {
    return 'Opening microphone…';
  }
  if (microphone === 'on') {
    return 'Mute microphone';
  }
  return microphone === 'muted' ? 'Unmute microphone' : 'Turn on microphone';
}

interface MessagesProps {
  readonly messages: readonly Message[];
}

function Messages({ messages }: MessagesProps): React.JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (box.current !== null && atEnd.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [messages]);
  const follow = (): void => {
    const element = box.current;
    if (element !== null) {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    }
  };
  return (
    <div ref={box} className="va-log" role="log" aria-label="Conversation" tabIndex={0} onScroll={follow}>
      {messages.length === 0 && <p className="va-empty">What you and the agent say appears here.</p>}
      <ol className="va-messages">
        {messages.map((message) => (
          <li key={message.id} className={`va-message va-${message.role}`} data-role={message.role}>
            <span className="va-who">{message.role === 'user' ? 'You' : 'Agent'}</span>
            <span className="va-text">{message.text}</span>
            {message.failed && <span className="va-failed">not sent</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}

interface TextBoxProps {
  readonly call: VoiceAgentCall | null;
  readonly live: boolean;
}

function TextBox({ call, live }: TextBoxProps): React.JSX.Element {
  const id = useId();
  const [text, setText] = useState('');
  const submit = (event: React.SyntheticEvent): void => {
    event.preventDefault();
    if (call !== null && live && text.trim() !== '') {
      void sendTextMessage(call, text);
      setText('');
    }
  };
  return (
    <form className="va-form" onSubmit={submit}>
      <label htmlFor={id} className="va-hidden">
        Message
      </label>
      <input
        id={id}
        className="va-input"
        value={text}
        placeholder={live ? 'Type a message' : 'Start a call to type'}
        autoComplete="off"
        enterKeyHint="send"
        disabled={!live}
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
      <button type="submit" disabled={!live || text.trim() === ''}>
        Send
      </button>
    </form>
  );
}
