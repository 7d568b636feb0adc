// Every page and tab is accessible, fits the window and has no fault, on wide and narrow screens, in light and dark colours.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { assertAccessible, assertFits, CONTRAST, DESKTOP, FIXTURES, NARROW, PAGES } from './support.mjs';
import { open, useOnePage, useServer } from './shared.mjs';

const SNAPSHOTS = new URL('snapshots/', import.meta.url);
/** Pages that differ from run to run: they show paths, times and the version. */
const CHANGING = ['server'];

useServer();
useOnePage();

const DISPLAYS = [DESKTOP, NARROW].flatMap((viewport) => ['light', 'dark'].map((theme) => ({ viewport, theme })));

describe('every page', () => {
  for (const { name, hash } of PAGES) {
    test(`${name} is accessible, fits and has no fault, wide and narrow, light and dark`, async () => {
      await open.display(DISPLAYS[0]);
      await open.go(hash);
      if (!CHANGING.includes(name)) await assertSnapshot(name, await open.page.locator('body').ariaSnapshot());
      for (const display of DISPLAYS) {
        const where = `${name}, ${display.viewport === NARROW ? 'narrow' : 'wide'} and ${display.theme}`;
        await open.display(display);
        await assertFits(open.page, where);
        // Only the contrast depends on the colours.
        await assertAccessible(open.page, where, display.theme === 'dark' ? CONTRAST : undefined);
      }
      assert.equal(await open.page.locator('.error-panel').count(), 0, 'an error is shown');
    });
  }
});

/** Compares the accessibility tree with its snapshot. `UPDATE_SNAPSHOTS=1` updates the snapshot. */
async function assertSnapshot(name, found) {
  const file = new URL(`${name}.aria.yml`, SNAPSHOTS);
  const text = `${found.replace(/Version \d+\.\d+\.\d+\S*/, 'Version').replaceAll(dirname(FIXTURES[0]), '')}\n`;
  if (process.env.UPDATE_SNAPSHOTS) {
    mkdirSync(SNAPSHOTS, { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, 'utf8'), `${name} differs from ${file.pathname}`);
}
