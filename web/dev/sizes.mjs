// Measures the built scripts in ../web-dist. As a program it prints their sizes and fails if they exceed the budget.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** The maximum of gzipped bytes: the scripts of the first page, and all scripts. */
export const BUDGET = { first: 40 * 1024, all: 140 * 1024 };

const DIST = fileURLToPath(new URL('../../web-dist', import.meta.url));

/** Returns the gzipped bytes of the scripts that the first page loads, and of all scripts. */
export function scriptSizes() {
  const size = (file) => gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length;
  const scripts = readdirSync(DIST, { recursive: true }).map(String).filter((file) => file.endsWith('.js'));
  const index = readFileSync(join(DIST, 'index.html'), 'utf8');
  // The scripts of index.html and their static imports.
  const first = new Set([...index.matchAll(/(?:src|href)="\.\/([^"]+\.js)"/g)].map(([, file]) => file));
  for (const file of first) {
    const text = readFileSync(join(DIST, file), 'utf8');
    for (const [, name] of text.matchAll(/(?:import|from)\s*["'`]\.\/([^"'`]+\.js)["'`]/g)) first.add(`assets/${name}`);
  }
  const total = (files) => [...files].reduce((sum, file) => sum + size(file), 0);
  return { first: total(first), all: total(scripts) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { first, all } = scriptSizes();
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
  console.log(`scripts gzipped: first page ${kib(first)} of ${kib(BUDGET.first)}, all ${kib(all)} of ${kib(BUDGET.all)}`);
  if (first > BUDGET.first || all > BUDGET.all) process.exit(1);
}
