// Every page and tab, on a wide and a narrow screen, light and dark: it is accessible, fits, and nothing goes wrong in it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { assertAccessible, assertFits, DESKTOP, launch, NARROW, openPage, PAGES, startServer } from './support.mjs';

const SNAPSHOTS = new URL('snapshots/', import.meta.url);
/** What it shows differs from one run to the next: paths, times, the version. */
const CHANGING = ['server'];

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

for (const [look, options] of [
  ['light', { viewport: DESKTOP, theme: 'light' }],
  ['dark', { viewport: DESKTOP, theme: 'dark' }],
  ['narrow light', { viewport: NARROW, theme: 'light' }],
  ['narrow dark', { viewport: NARROW, theme: 'dark' }],
]) {
  describe(look, () => {
    let open;
    before(async () => {
      open = await openPage(browser, server, options);
    });
    after(() => open.close());

    for (const { name, hash } of PAGES) {
      test(`${name} is accessible, fits and has no fault`, async () => {
        open.faults.length = 0;
        await open.go(hash);
        await assertFits(open.page, name);
        await assertAccessible(open.page, name);
        assert.equal(await open.page.locator('.error-panel').count(), 0, 'an error is shown');
        assert.deepEqual(open.faults, []);
        if (look === 'light' && !CHANGING.includes(name)) await assertSnapshot(name, await open.page.locator('body').ariaSnapshot());
      });
    }
  });
}

/** What a screen reader is told. `UPDATE_SNAPSHOTS=1` writes it anew. */
async function assertSnapshot(name, found) {
  const file = new URL(`${name}.aria.yml`, SNAPSHOTS);
  const text = `${found.replace(/Version \d+\.\d+\.\d+\S*/, 'Version')}\n`;
  if (process.env.UPDATE_SNAPSHOTS) {
    mkdirSync(SNAPSHOTS, { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, 'utf8'), `${name} is told otherwise than in ${file.pathname}`);
}
