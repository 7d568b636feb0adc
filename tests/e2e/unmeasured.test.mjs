// Flink writes 2^63-1 for disabled, "NaN" for never measured, -1 for unknown and 0 for never. If all figures of a document have such a
// value, no page shows it raw.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFits, DESKTOP, openPage, PAGES } from './support.mjs';
import { browser, server, useServer } from './shared.mjs';

/** Members that identify an item of a list or its document. */
const KEPT = /^(?:subtask|index|attempt|id|num|rescaleAttemptId)$/;
const MARK = 'the figure';

/** The document with each figure as `written`, which need not be a number that JavaScript can hold. */
function replaced(document, written) {
  return JSON.stringify(document, (key, value) => (typeof value === 'number' && !KEPT.test(key) ? MARK : value)).replaceAll(JSON.stringify(MARK), written);
}

useServer();

const VISITED = PAGES.filter(({ hash }) => /^\/(?:job|application)\/completed\/./.test(hash));

/** All text, tooltips and coordinates of a page, without text from the archive. */
const shown = (page) =>
  page.evaluate(() => {
    const body = document.querySelector('main').cloneNode(true);
    for (const foreign of body.querySelectorAll('.foreign, h1')) foreign.remove();
    const attributes = [...body.querySelectorAll('*')].flatMap((element) => ['title', 'datetime', 'd', 'x', 'y', 'cx', 'cy', 'width', 'height', 'style'].map((name) => element.getAttribute(name)).filter(Boolean));
    const texts = [];
    for (const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT); walker.nextNode(); ) texts.push(walker.currentNode.data.trim());
    return [...texts, ...attributes].filter(Boolean);
  });

const RAW = /NaN|Infinity|undefined|\bnull\b|9\.22|9,223|9223372|\b19(?:69|70)-|(?:^|[\s(:])-\d/;

for (const [name, written] of [
  ['2^63-1', '9223372036854775807'],
  ['"NaN"', '"NaN"'],
  ['-1', '-1'],
  ['0', '0'],
]) {
  test(`each figure is ${name}`, async () => {
    const open = await openPage(browser, server);
    const { page } = open;
    await page.route(/\/(?:jobs|applications)\//, async (route) => {
      const answer = await route.fetch();
      if (!answer.ok()) return route.fulfill({ response: answer });
      return route.fulfill({ response: answer, body: replaced(await answer.json(), written) });
    });
    await open.go('/server');
    const raw = [];
    for (const { name: where, hash } of VISITED) {
      await open.turn(hash);
      await assertFits(page, `${name} on ${where}`);
      assert.deepEqual(open.faults, [], where);
      assert.equal(await page.locator('.error-panel').count(), 0, where);
      raw.push(...(await shown(page)).filter((text) => RAW.test(text)).map((text) => `${where}: ${text}`));
    }
    assert.deepEqual(raw, []);
    await open.close();
  });
}
