import type { Agent } from './protocol';
import type { StackState } from './state';

interface AgentsProps {
  readonly agents: StackState['agents'];
  /** Agents can be called in the browser. */
  readonly callPage: boolean;
}

/** The agents of the stack. */
export function Agents({ agents, callPage }: AgentsProps): React.JSX.Element {
  const rest = agents === null ? 0 : agents.total - agents.shown.length;
  return (
    <section className="sp-card" aria-labelledby="agents">
      <h2 id="agents">Agents{agents !== null && <span className="sp-count"> {agents.total}</span>}</h2>
      <ul className="sp-list">
        {agents?.shown.map((agent) => (
          <li key={agent.id} className="sp-agent">
            <p className="sp-row-top">
              <strong>{agent.id}</strong>
              {agent.name !== agent.id && <span>{agent.name}</span>}
              {callPage && (
                <a href={`/?agent=${encodeURIComponent(agent.id)}`} aria-label={`Call ${agent.id}`}>
                  Call
                </a>
              )}
            </p>
            <p className="sp-row-more">
              Language {agent.language}, voice {agent.voice}, {counted(agent)}
            </p>
            <p className="sp-greeting">{agent.greeting.trim() === '' ? 'No greeting' : `“${agent.greeting}”`}</p>
          </li>
        ))}
      </ul>
      {rest > 0 && <p className="sp-empty">And {rest} more.</p>}
    </section>
  );
}

function counted({ documents, mcp_servers }: Agent): string {
  const of = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  return `${of(documents, 'document')}, ${of(mcp_servers, 'MCP server')}`;
}
