// Fails the build if what a browser loads is larger than the limit.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 250;
const sizes = readdirSync('dist', { recursive: true })
  .map((name) => join('dist', name))
  .filter((path) => statSync(path).isFile())
  .map((path) => gzipSync(readFileSync(path)).length);
const totalKb = sizes.reduce((sum, size) => sum + size, 0) / 1000;
console.log(`the page is ${totalKb.toFixed(0)} kB compressed, of ${LIMIT_KB} kB allowed`);
if (totalKb > LIMIT_KB) {
  process.exit(1);
}
