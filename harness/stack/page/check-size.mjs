// Fails the build if what a browser loads for a page is larger than its limit, compressed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

// `later`: with what is loaded only once somebody listens in.
const PAGES = [
  { name: 'the call page', entry: 'index.html', later: false, limitKb: 250 },
  { name: 'the stack’s page', entry: 'stack.html', later: false, limitKb: 90 },
  { name: 'the stack’s page, listening in', entry: 'stack.html', later: true, limitKb: 250 },
];
const manifest = JSON.parse(readFileSync(join('dist', 'manifest.json'), 'utf8'));

function filesOf(key, later, found = new Set()) {
  const { file, css = [], imports = [], dynamicImports = [] } = manifest[key];
  if (!found.has(file)) {
    [file, ...css].forEach((name) => found.add(name));
    [...imports, ...(later ? dynamicImports : [])].forEach((name) => filesOf(name, later, found));
  }
  return found;
}

for (const { name, entry, later, limitKb } of PAGES) {
  const files = [entry, ...filesOf(entry, later)];
  const sizes = files.map((file) => gzipSync(readFileSync(join('dist', file))).length);
  const kb = sizes.reduce((sum, size) => sum + size, 0) / 1000;
  console.log(`${name} is ${kb.toFixed(0)} kB compressed, of ${limitKb} kB allowed`);
  if (kb > limitKb) {
    process.exitCode = 1;
  }
}
