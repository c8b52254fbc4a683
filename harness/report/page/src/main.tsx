import { render } from 'preact';
import { App } from './App';
import { loadDocument } from './load';
import './page.css';

const root = document.getElementById('app');
if (root !== null) {
  try {
    const shown = await loadDocument();
    root.replaceChildren();
    render(<App document={shown} />, root);
  } catch (error) {
    // The verdict that is in the page without scripts stays.
    const note = document.createElement('p');
    note.textContent = `The rest of this report cannot be shown: ${String(error)}`;
    root.append(note);
  }
}
