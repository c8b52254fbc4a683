import { viteSingleFile } from 'vite-plugin-singlefile';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [viteSingleFile()],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', charset: 'utf8' },
  build: { target: 'es2022', modulePreload: false },
  test: { environment: 'node', include: ['tests/**/*.test.ts'], restoreMocks: true },
});
