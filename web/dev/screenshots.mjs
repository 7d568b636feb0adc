// Pictures of every page in both themes: node dev/screenshots.mjs [--out DIR] [--only PATTERN-OF-NAMES] [--url URL] [--width PX] [--height PX]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, NOW, pagesFromDisk } from './browser.mjs';
import { PAGES } from './pages.mjs';
import { startServer } from './server.mjs';

const options = { out: fileURLToPath(new URL('../screenshots', import.meta.url)), only: '', url: '', width: '1360', height: '850' };
for (let at = 2; at < process.argv.length; at += 2) options[process.argv[at].slice(2)] = process.argv[at + 1];

const wide = { width: Number(options.width), height: Number(options.height) };
const only = new RegExp(options.only);
const server = options.url ? null : await startServer();
const base = options.url || server.url;
const browser = await launch();
mkdirSync(options.out, { recursive: true });
for (const [theme, viewport] of [
  ['light', wide],
  ['dark', wide],
  ['narrow', { width: 400, height: 800 }],
]) {
  const context = await browser.newContext({ viewport, colorScheme: theme === 'dark' ? 'dark' : 'light', timezoneId: 'UTC' });
  const page = await context.newPage();
  if (process.env.WEB_DIST === 'disk') await pagesFromDisk(page, base);
  if (!options.url) await page.clock.setFixedTime(NOW);
  page.on('console', (message) => message.type() === 'error' && console.log(`${theme}: ${message.text()} ${message.location().url}`));
  page.on('pageerror', (error) => console.log(`${theme}: ${error.stack}`));
  for (const { name, hash } of PAGES) {
    if (!only.test(`${theme}-${name}`)) continue;
    await page.goto('about:blank');
    await page.goto(`${base}#${hash}`);
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: join(options.out, `${theme}-${name}.png`) });
  }
  await context.close();
}
await browser.close();
await server?.close();
