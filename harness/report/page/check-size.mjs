// Fails the build if the page, without the data of a run, is larger than the limit.
import { readdirSync, statSync } from 'node:fs';

const LIMIT_KB = 160;
const files = readdirSync('dist', { recursive: true });
const sizeKb = statSync('dist/index.html').size / 1000;
console.log(`the report's page is ${sizeKb.toFixed(0)} kB, of ${LIMIT_KB} kB allowed`);
if (files.length !== 1) {
  console.log(`it must be one file, and is: ${files.join(', ')}`);
}
if (sizeKb > LIMIT_KB || files.length !== 1) {
  process.exit(1);
}
