import { type Entry, entriesOf, type ToolCall } from './entries';
import type { Frame } from './protocol';
import { length } from './times';
import { useStuckToEnd } from './useStuckToEnd';

interface ConversationProps {
  /** Null while they are not known. */
  readonly frames: readonly Frame[] | null;
  /** When the call began, in ms since the epoch. */
  readonly since: number;
  readonly over: boolean;
}

/** What caller and agent say, as the agent reports it, and the tools that it calls. */
export function Conversation({ frames, since, over }: ConversationProps): React.JSX.Element {
  const entries = entriesOf(frames ?? []);
  const { box, follow } = useStuckToEnd(entries.length);
  return (
    <div ref={box} className="sp-log" role="log" aria-label="Conversation" tabIndex={0} onScroll={follow}>
      {frames !== null && entries.length === 0 && (
        <p className="sp-empty">{over ? 'Nobody watched this call, so its conversation was not kept.' : 'Nothing was said yet.'}</p>
      )}
      <ol className="sp-entries">
        {entries.map((entry, number) => (
          // Entries only ever come after the others.
          <li key={number} className="sp-entry" data-kind={entry.kind}>
            <span className="sp-who">
              {WHO[entry.kind]} <span className="sp-time">{length(entry.atMs - since)}</span>
            </span>
            {entry.kind === 'tool' ? <Tool call={entry} /> : <span className="sp-text">{entry.text}</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}

const WHO: Record<Entry['kind'], string> = { user: 'Caller', agent: 'Agent', tool: 'Tool' };

function Tool({ call }: { readonly call: ToolCall }): React.JSX.Element {
  const took = call.tookMs === null ? '' : ` in ${Math.round(call.tookMs)} ms`;
  return (
    <details>
      <summary>
        <code>{call.name}</code> {call.ok ? 'answered' : 'failed'}
        {took}
      </summary>
      <dl className="sp-tool">
        <dt>Arguments</dt>
        <dd>
          <code>{call.args}</code>
        </dd>
        <dt>Result</dt>
        <dd>
          <code>{call.result}</code>
        </dd>
      </dl>
    </details>
  );
}
