import '../page.css';
import './stack.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { connectToStack } from './connection';
import { StackPage } from './StackPage';

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <StackPage stack={connectToStack()} />
    </StrictMode>,
  );
}
