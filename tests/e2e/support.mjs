// The tools of the browser tests: pages that record their faults, and checks of accessibility and layout.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, NOW, pagesFromDisk } from '../../web/dev/browser.mjs';

export { IDS, PAGES, TWICE } from '../../web/dev/pages.mjs';
export { FIXTURES, startServer } from '../../web/dev/server.mjs';
export { launch, NOW };

const root = fileURLToPath(new URL('../..', import.meta.url));
const AXE = createRequire(join(root, 'web/package.json')).resolve('axe-core/axe.min.js');

export const DESKTOP = { width: 1360, height: 850 };
export const NARROW = { width: 390, height: 800 };

/** The rules of axe: all, or the contrast of colours only. */
const ALL = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
export const CONTRAST = { type: 'rule', values: ['color-contrast'] };

/**
 * Opens a page of the server. `faults` has all errors on the console, exceptions, requests to other hosts, violations of the
 * Content-Security-Policy, and dialogs.
 */
export async function openPage(browser, server, { viewport = DESKTOP, theme = 'light', clock = true, ...context } = {}) {
  const made = await browser.newContext({ viewport, colorScheme: theme, timezoneId: 'UTC', locale: 'en-US', ...context });
  const page = await made.newPage();
  const faults = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack ?? error}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('about:')) faults.push(`request to another origin: ${request.url()}`);
  });
  await page.addInitScript(countRequests);
  await page.addInitScript(() => {
    window.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
  });
  if (process.env.WEB_DIST === 'disk') await pagesFromDisk(page, server.url);
  if (clock) await page.clock.setFixedTime(NOW);
  return {
    page,
    faults,
    /** Loads the page at an address and waits until it is shown. */
    async go(hash) {
      await page.goto('about:blank');
      await page.goto(`${server.url}#${hash}`);
      await settle(page);
    },
    /** Goes to an address like a link: the page keeps its state. */
    async turn(hash) {
      await page.evaluate((to) => (window.location.hash = to), hash);
      await settle(page);
    },
    /** Changes the size of the window and the colours, and waits until the page is rendered. */
    async display({ viewport, theme = 'light' }) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme: theme });
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    },
    async close() {
      await made.close();
    },
  };
}

/** Runs in the page before its scripts: counts the requests in flight, including the reading of their bodies. */
function countRequests() {
  window.requestsInFlight = 0;
  const count = (owner, method) => {
    const original = owner[method];
    owner[method] = function (...given) {
      window.requestsInFlight += 1;
      return original.apply(this, given).finally(() => (window.requestsInFlight -= 1));
    };
  };
  count(window, 'fetch');
  count(Response.prototype, 'json');
}

/** Waits until no request is in flight and no part of the page is loading, for a few frames. */
export async function settle(page) {
  const unsettled = await page.evaluate(() => new Promise((resolve) => {
    const end = performance.now() + 30_000;
    let settledFrames = 0;
    const check = () => {
      const loading = document.querySelector('.skeleton');
      settledFrames = document.readyState === 'complete' && window.requestsInFlight === 0 && !loading ? settledFrames + 1 : 0;
      if (settledFrames === 4) resolve(null);
      else if (performance.now() > end) resolve(`${window.requestsInFlight} requests are in flight, ${loading?.innerText ?? 'no part'} is loading`);
      else requestAnimationFrame(check);
    };
    requestAnimationFrame(check);
  }));
  assert.equal(unsettled, null);
}

/** Fails with the report of axe if the page violates a rule of accessibility. */
export async function assertAccessible(page, where, rules = ALL) {
  if (await page.evaluate(() => !('axe' in window))) await page.evaluate(readFileSync(AXE, 'utf8'));
  const violations = await page.evaluate(async (runOnly) => {
    const found = await window.axe.run(document, { runOnly });
    return found.violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `    ${node.html.slice(0, 200)}\n      ${node.any.concat(node.all, node.none).map((check) => check.message).join('; ')}`).join('\n')}`);
  }, rules);
  assert.deepEqual(violations, [], `${where}\n${violations.join('\n')}`);
}

/** Fails if the page is wider than the window, or if a row of a table overlaps another or overflows. */
export async function assertFits(page, where) {
  const over = await page.evaluate(() =>
    [...document.querySelectorAll('main tbody')].flatMap((body) => {
      const rows = [...body.children];
      return rows
        .filter((row, index) => row.scrollHeight > row.clientHeight + 1 || (index > 0 && row.getBoundingClientRect().top < rows[index - 1].getBoundingClientRect().bottom - 1))
        .map((row) => row.textContent.trim().slice(0, 100));
    }),
  );
  assert.deepEqual(over, [], `${where}: rows overlap`);
  const [wide, seen] = await page.evaluate(() => [Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth), document.documentElement.clientWidth]);
  assert.ok(wide <= seen, `${where}: the content is ${wide} px wide in a window of ${seen}`);
}

/** Fetches a document of the server. */
export async function json(server, path) {
  const answer = await fetch(server.url + path);
  assert.equal(answer.status, 200, path);
  return answer.json();
}
