import { useId, useState } from 'react';

import { CallView, type CallViewState, type SessionRequest } from './call';

const DEFAULT_AGENT = 'demo';

type Field = keyof SessionRequest;
type Values = Record<Field, string>;

const OVERRIDES: readonly { readonly name: Field; readonly label: string; readonly long?: true }[] = [
  { name: 'language', label: 'Language' },
  { name: 'greeting', label: 'Greeting' },
  { name: 'system_prompt', label: 'System prompt', long: true },
  { name: 'reference_audio_url', label: 'Reference audio URL' },
];

/** The call page of the embedded stack: which agent to call, and the view of the call. `?agent=ID` names the agent. */
export function App(): React.JSX.Element {
  const [values, setValues] = useState<Values>(firstValues);
  const [state, setState] = useState<CallViewState>('idle');
  const change = (name: Field, value: string): void => {
    setValues((before) => ({ ...before, [name]: value }));
  };
  return (
    <main className="page">
      <h1>Call a voice agent</h1>
      <fieldset className="page-settings" disabled={state !== 'idle'}>
        <legend className="page-hidden">Settings of the next call</legend>
        <TextField label="Agent" value={values.agent} onChange={(value) => { change('agent', value); }} />
        <details>
          <summary>Overrides for this call</summary>
          {OVERRIDES.map(({ name, label, long }) => (
            <TextField
              key={name}
              label={label}
              long={long ?? false}
              value={values[name]}
              onChange={(value) => { change(name, value); }}
            />
          ))}
          <p className="page-note">A field that is left blank has the agent’s own value.</p>
        </details>
      </fieldset>
      <CallView session={values} onState={setState} />
    </main>
  );
}

function firstValues(): Values {
  const agent = new URLSearchParams(window.location.search).get('agent') ?? DEFAULT_AGENT;
  return { agent, language: '', greeting: '', system_prompt: '', reference_audio_url: '' };
}

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly long?: boolean;
  readonly onChange: (value: string) => void;
}

function TextField({ label, value, long = false, onChange }: TextFieldProps): React.JSX.Element {
  const id = useId();
  const shared = {
    id,
    value,
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      onChange(event.target.value);
    },
  };
  return (
    <div className="page-field">
      <label htmlFor={id}>{label}</label>
      {long ? <textarea rows={3} {...shared} /> : <input autoComplete="off" spellCheck={false} {...shared} />}
    </div>
  );
}
