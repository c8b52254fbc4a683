/** The colours of the style sheet, for what is drawn on a canvas. */
import { useEffect, useState } from 'preact/hooks';

const NAMES = [
  'back', 'sheet', 'ink', 'soft', 'rule', 'accent', 'ok', 'bad', 'warn', 'caller', 'agent', 'caller-fill', 'agent-fill', 'band', 'band2', 'other',
] as const;
export type Theme = Record<(typeof NAMES)[number], string>;

export const FONT = '11px system-ui, sans-serif';

function theme(): Theme {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Theme;
}

/** The colours as they are now: they change with the system's scheme, and are those of paper while the page is printed. */
export function useTheme(): Theme {
  const [colours, setColours] = useState(theme);
  useEffect(() => {
    const renew = () => { setColours(theme()); };
    const queries = [matchMedia('(prefers-color-scheme: dark)'), matchMedia('print')];
    for (const query of queries) query.addEventListener('change', renew);
    return () => { for (const query of queries) query.removeEventListener('change', renew); };
  }, []);
  return colours;
}
