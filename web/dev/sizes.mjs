// Holds the built scripts within their budget: what the first page loads, and all there is (gzipped).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const FIRST_PAGE = 40 * 1024;
const ALL = 120 * 1024;

const dist = fileURLToPath(new URL('../../web-dist', import.meta.url));
const size = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
const scripts = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith('.js'));
const index = readFileSync(join(dist, 'index.html'), 'utf8');
// What index.html names, and what those import without waiting to be asked.
const first = new Set([...index.matchAll(/(?:src|href)="\.\/([^"]+\.js)"/g)].map(([, file]) => file));
for (const file of first) {
  const text = readFileSync(join(dist, file), 'utf8');
  for (const [, name] of text.matchAll(/(?:import|from)\s*"\.\/([^"]+\.js)"/g)) first.add(`assets/${name}`);
}
const total = (files) => [...files].reduce((sum, file) => sum + size(file), 0);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
console.log(`scripts gzipped: first page ${kib(total(first))} of ${kib(FIRST_PAGE)}, all ${kib(total(scripts))} of ${kib(ALL)}`);
if (total(first) > FIRST_PAGE || total(scripts) > ALL) process.exit(1);
