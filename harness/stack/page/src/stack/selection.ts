/** What is chosen on the page; it is in the address, so that a link leads there and the browser's back button works. */
import { type Look, LOOKS_AT_NOTHING } from './protocol';

export type Selection =
  | { readonly kind: 'none' }
  | { readonly kind: 'call'; readonly room: string }
  | { readonly kind: 'run'; readonly run: string; readonly call: string | null };

/** The selection in the fragment of an address. */
export function selectionIn(hash: string): Selection {
  const chosen = new URLSearchParams(hash.replace(/^#/, ''));
  const room = chosen.get('room');
  if (room !== null) {
    return { kind: 'call', room };
  }
  const run = chosen.get('run');
  return run === null ? { kind: 'none' } : { kind: 'run', run, call: chosen.get('call') };
}

/** The link that chooses this. */
export function withSelection(selection: Selection): string {
  switch (selection.kind) {
    case 'none':
      return '#';
    case 'call':
      return `#${new URLSearchParams({ room: selection.room }).toString()}`;
    case 'run': {
      const { run, call } = selection;
      return `#${new URLSearchParams(call === null ? { run } : { run, call }).toString()}`;
    }
  }
}

/** What has to be looked at for a selection. */
export function lookFor(selection: Selection): Look {
  switch (selection.kind) {
    case 'none':
      return LOOKS_AT_NOTHING;
    case 'call':
      return { ...LOOKS_AT_NOTHING, watch: selection.room };
    case 'run': {
      const { run, call } = selection;
      return { watch: null, run, follow: call === null ? null : [run, call] };
    }
  }
}
