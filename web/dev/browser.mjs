// Debian's Chromium, for the tests and the screenshots.
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const DIST = fileURLToPath(new URL('../../web-dist', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** The time of all tests and pictures, an hour after the youngest fixture: relative times are the same on every run. */
export const NOW = new Date('2026-11-22T20:24:32Z');

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Serves the built files from web-dist instead of from the binary, so that a change of the pages needs no build of the server. */
export async function pagesFromDisk(page, url) {
  const { headers } = await fetch(url);
  const nameOf = (address) => address.pathname.slice(new URL(url).pathname.length);
  await page.route(
    (address) => address.href.startsWith(url) && /^(?:|theme\.js|favicon\.svg|assets\/.*)$/.test(nameOf(address)),
    (route) => {
      const name = nameOf(new URL(route.request().url())) || 'index.html';
      return route.fulfill({
        body: readFileSync(join(DIST, name)),
        headers: { 'content-type': TYPES[extname(name)], 'content-security-policy': headers.get('content-security-policy') },
      });
    },
  );
}
