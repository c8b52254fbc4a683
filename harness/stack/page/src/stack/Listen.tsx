import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';

import { LevelMeter } from '../call/LevelMeter';
import type { Listening, ListeningSnapshot } from './listening';

interface ListenProps {
  readonly room: string;
  /** The caller's identity. */
  readonly caller: string;
  readonly over: boolean;
}

/** Starts and stops listening in, and shows whose voice is heard. Unmounting it leaves the call. */
export function Listen({ room, caller, over }: ListenProps): React.JSX.Element {
  const [listening, setListening] = useState<Listening | null>(null);
  const [loading, setLoading] = useState(false);
  const [failed, setFailed] = useState(false);
  const current = useRef<Listening | null>(null);
  const here = useRef(true);
  const snapshot = useSyncExternalStore(listening?.subscribe ?? neverChanges, listening?.snapshot ?? nothingHeard);
  const state = snapshot === null || snapshot.state === 'ended' ? 'off' : snapshot.state;

  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
      void current.current?.stop();
    };
  }, []);

  const start = async (): Promise<void> => {
    setLoading(true);
    setFailed(false);
    try {
      const { listenTo } = await import('./listening');
      if (here.current) {
        current.current = listenTo(room);
        setListening(current.current);
      }
    } catch {
      setFailed(true); // the stack is gone, or another one with other files
    } finally {
      setLoading(false);
    }
  };
  const toggle = (): void => {
    if (loading || (over && state === 'off')) {
      return;
    }
    void (state === 'off' ? start() : listening?.stop());
  };

  return (
    <div className="sp-listen" data-listening={state}>
      <button type="button" aria-disabled={loading || (over && state === 'off')} onClick={toggle}>
        {state === 'off' ? 'Listen in' : 'Stop listening'}
      </button>
      <p role="status" className="sp-listen-state">
        {failed ? 'Listening in could not be loaded. Reload the page.' : wordsFor(loading, state, snapshot)}
      </p>
      {snapshot?.audioBlocked === true && (
        <p className="sp-notice" role="alert">
          The browser has blocked the sound.{' '}
          <button type="button" onClick={() => void listening?.allow()}>
            Play sound
          </button>
        </p>
      )}
      {listening !== null && state === 'listening' && (
        <Voices listening={listening} heard={snapshot?.heard ?? []} caller={caller} />
      )}
    </div>
  );
}

function neverChanges(): () => void {
  return () => undefined;
}

function nothingHeard(): ListeningSnapshot | null {
  return null;
}

function wordsFor(loading: boolean, state: 'off' | 'connecting' | 'listening', snapshot: ListeningSnapshot | null): string {
  if (loading || state === 'connecting') {
    return 'Connecting…';
  }
  if (state === 'listening') {
    return 'You are listening. Nobody in the call can tell.';
  }
  return snapshot?.problem ?? (snapshot === null ? '' : 'Listening has ended.');
}

interface VoicesProps {
  readonly listening: Listening;
  readonly heard: readonly string[];
  readonly caller: string;
}

function Voices({ listening, heard, caller }: VoicesProps): React.JSX.Element {
  return (
    <ul className="sp-voices">
      {[...heard.filter((one) => one === caller), ...heard.filter((one) => one !== caller)].map((identity) => (
        <li key={identity}>
          <span className="sp-voice">{identity === caller ? 'Caller' : identity}</span>
          <VoiceMeter listening={listening} identity={identity} />
        </li>
      ))}
    </ul>
  );
}

function VoiceMeter({ listening, identity }: { readonly listening: Listening; readonly identity: string }): React.JSX.Element {
  const level = useCallback(() => listening.level(identity), [listening, identity]);
  return <LevelMeter level={level} />;
}
