import { viteSingleFile } from 'vite-plugin-singlefile';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [viteSingleFile()],
  // Every report carries the page: children as arguments, and not in an object, make it 3 kB smaller.
  esbuild: { jsx: 'transform', jsxFactory: 'h', jsxFragment: 'Fragment', jsxInject: "import { h, Fragment } from 'preact'", charset: 'utf8' },
  build: { target: 'es2022', modulePreload: false },
  test: { environment: 'node', include: ['tests/**/*.test.ts'], restoreMocks: true },
});
