// Every page and tab, on a wide and a narrow screen, light and dark: it is accessible, fits, and nothing goes wrong in it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertAccessible, assertFits, CONTRAST, DESKTOP, FIXTURES, NARROW, openPage, PAGES } from './support.mjs';
import { browser, server, serving } from './shared.mjs';

const SNAPSHOTS = new URL('snapshots/', import.meta.url);
/** What it shows differs from one run to the next: paths, times, the version. */
const CHANGING = ['server'];

serving();

const LOOKS = [DESKTOP, NARROW].flatMap((viewport) => ['light', 'dark'].map((theme) => ({ viewport, theme })));

describe('every page', () => {
  let open;
  before(async () => {
    open = await openPage(browser, server);
  });
  after(() => open.close());

  for (const { name, hash } of PAGES) {
    test(`${name} is accessible, fits and has no fault, wide and narrow, light and dark`, async () => {
      open.faults.length = 0;
      await open.look(LOOKS[0]);
      await open.go(hash);
      if (!CHANGING.includes(name)) await assertSnapshot(name, await open.page.locator('body').ariaSnapshot());
      for (const look of LOOKS) {
        const where = `${name}, ${look.viewport === NARROW ? 'narrow' : 'wide'} and ${look.theme}`;
        await open.look(look);
        await assertFits(open.page, where);
        // Of colours, only the contrast depends; the rest is the same in both.
        await assertAccessible(open.page, where, look.theme === 'dark' ? CONTRAST : undefined);
      }
      assert.equal(await open.page.locator('.error-panel').count(), 0, 'an error is shown');
      assert.deepEqual(open.faults, []);
    });
  }
});

/** What a screen reader is told. `UPDATE_SNAPSHOTS=1` writes it anew. */
async function assertSnapshot(name, found) {
  const file = new URL(`${name}.aria.yml`, SNAPSHOTS);
  const text = `${found.replace(/Version \d+\.\d+\.\d+\S*/, 'Version').replaceAll(dirname(FIXTURES[0]), '')}\n`;
  if (process.env.UPDATE_SNAPSHOTS) {
    mkdirSync(SNAPSHOTS, { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, 'utf8'), `${name} is told otherwise than in ${file.pathname}`);
}
