import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  base: './',
  build: {
    target: 'es2022',
    assetsDir: 'assets',
    chunkSizeWarningLimit: 1000,
    // check-size.mjs sums up what each page loads.
    manifest: 'manifest.json',
    // The call page, and the stack's own.
    rollupOptions: { input: ['index.html', 'stack.html'] },
  },
  test: { environment: 'jsdom', include: ['tests/**/*.test.{ts,tsx}'], restoreMocks: true },
});
