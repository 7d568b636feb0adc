// Lists and pages over archives as a company has them: rows can be told apart, tables fit, and each question takes few clicks.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NIGHTLY, RUNS, SKEWED, SQL, writeRealistic } from '../../web/dev/realistic.mjs';
import { assertAccessible, assertFits, CONTRAST, json, settle } from './support.mjs';
import { begin, open, page, server, useNewPages, useServer } from './shared.mjs';

const root = mkdtempSync(join(tmpdir(), 'historyserver-realistic-'));
const jobs = writeRealistic(root);
after(() => rmSync(root, { recursive: true, force: true }));

useServer(() => ({ directories: [root] }));
useNewPages();

const DISPLAYS = [1280, 1440, 1920].map((width) => ({ width, height: 900 })).concat({ width: 390, height: 800 });
const [failed] = jobs.nightly.slice(-1);
const [stream] = jobs.stream;

/** The cells of tables whose text is cut, and the tables that are wider than their frame. */
function cutCells() {
  const cells = [...document.querySelectorAll('main td')].filter((cell) => cell.offsetParent !== null);
  const isCut = (element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== 'visible';
  const isClamped = (element) => element.scrollHeight > element.clientHeight + 1 && getComputedStyle(element).overflowY !== 'visible';
  const cut = cells.filter((cell) => [cell, ...cell.querySelectorAll('*')].some((element) => isCut(element) || (getComputedStyle(element).webkitLineClamp !== 'none' && isClamped(element))));
  return {
    all: cells.length,
    cut: cut.map((cell) => cell.textContent.trim()),
    wide: [...document.querySelectorAll('main .scroller')].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.getAttribute('aria-label')),
  };
}

for (const [name, hash] of [
  ['the list of applications', '/application/completed'],
  ['the list of a name', `/job/completed?name=${NIGHTLY}`],
  ['the job of 40 vertices', `/job/completed/${stream.job}/overview`],
  ['the skewed subtask', `/job/completed/${stream.job}/overview/${'d4'.padEnd(30, '0')}1b/subtasks?view=load&sort=-share`],
  ['the failed job', `/job/completed/${failed.job}/overview`],
  ['the search', '/search?q=deadlock'],
]) {
  test(`${name} fits and is accessible at three widths and on a phone, light and dark`, async () => {
    await begin(hash);
    for (const viewport of DISPLAYS) {
      for (const theme of ['light', 'dark']) {
        const where = `${name}, ${viewport.width} ${theme}`;
        await open.display({ viewport, theme });
        await assertFits(page, where);
        await assertAccessible(page, where, theme === 'dark' ? CONTRAST : undefined);
      }
    }
  });
}

test('under one in twenty cells is cut at 1440 pixels, and no table is wider than its frame', async () => {
  await begin(null, { viewport: { width: 1440, height: 900 } });
  for (const hash of ['/application/completed', '/job/completed', `/application/completed?name=${NIGHTLY}`]) {
    await open.go(hash);
    const { all, cut, wide } = await page.evaluate(cutCells);
    assert.ok(all > 100 && cut.length < all / 20, `${hash}: ${cut.length} of ${all} cells are cut, such as ${cut[0]}`);
    assert.deepEqual(wide, [], hash);
  }
});

test('a name is shown without what Flink adds to it, and the title has all of it', async () => {
  await begin('/application/completed');
  const row = page.locator('tbody tr', { hasText: 'hourly_orders' }).first();
  const link = row.getByRole('link');
  assert.equal(await link.innerText(), SQL.replace('default_catalog.default_database.', ''));
  assert.equal(await link.getAttribute('title'), `SingleJobApplication(${SQL})`);
});

test('why last night’s run failed: two clicks from the list, and the list says the class of the cause', async () => {
  await begin('/application/completed');
  await page.getByRole('button', { name: /^failed/i }).click();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr[data-key]').length === 1);
  const row = page.locator('tbody tr[data-key]');
  assert.match(await row.innerText(), /PSQLException/);
  await row.getByRole('link').click();
  await settle(page);
  assert.match(await page.evaluate(() => location.hash), new RegExp(`^#/job/completed/${failed.job}/`));
  await page.getByText('deadlock detected').first().waitFor();
});

test('slower than last week: the list says how many times the usual duration a run took', async () => {
  await begin(`/application/completed?name=${NIGHTLY}`);
  const { items } = await json(server, `api/v1/applications?run_facts=true&limit=1&name=${NIGHTLY}`);
  const times = (items[0].duration / items[0].run_facts.usual_duration).toFixed(1);
  assert.ok(Number(times) > 1.2);
  assert.match(await page.locator('tbody tr[data-key]').first().innerText(), new RegExp(`↑ ${times} ×`));
});

test('the skewed subtask: two clicks from the list', async () => {
  await begin('/job/completed?name=clickstream');
  await page.locator('tbody tr[data-key]').getByRole('link').click();
  await page.getByRole('link', { name: `Subtask ${SKEWED.subtask} of Window: sessions by user has 11 × the mean of records` }).click();
  await settle(page);
  const first = page.getByRole('table', { name: 'Subtasks' }).locator('tbody tr').first();
  assert.match(await first.innerText(), new RegExp(`^\\s*${SKEWED.subtask}\\b[\\s\\S]*11 ×`));
  assert.equal(await page.locator('tr.outlier').count(), 1);
  // The address holds the columns and the order.
  await page.reload();
  await settle(page);
  assert.match(await page.getByRole('table', { name: 'Subtasks' }).locator('tbody tr').first().innerText(), /11 ×/);
});

test('busy, backpressured and idle are columns and colours of the graph', async () => {
  await begin(`/job/completed/${stream.job}/overview`);
  const { vertices } = await json(server, `jobs/${stream.job}`);
  await page.getByText(/has 11 × the mean/).waitFor();
  const [busy, backpressured, idle] = ['busy', 'backpressured', 'idle'].map((one) => vertices[0].metrics[`accumulated-${one}-time`]);
  const share = (part) => `${Math.round((part / (busy + backpressured + idle)) * 100)} %`;
  const row = await page.locator(`tr[data-key="${vertices[0].id}"] td`).allInnerTexts();
  assert.deepEqual(row.slice(2, 5).map((text) => text.trim()), [share(busy), share(backpressured), share(idle)]);
  assert.equal(await page.locator('.node .loads').count(), 40);
  assert.equal(await page.locator('.node .skewed').innerText(), 'skew 11 ×');
});

test('two chosen rows lead to their comparison, the earlier one on the left', async () => {
  await begin(`/application/completed?name=${NIGHTLY}`);
  const boxes = page.getByRole('checkbox', { name: /to compare$/ });
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.getByRole('link', { name: 'Compare the two runs' }).click();
  await settle(page);
  const [before, last] = jobs.nightly.slice(-2);
  assert.match(await page.evaluate(() => location.hash), new RegExp(`left=${before.job}&right=${last.job}`));
});

test('chosen columns and the height of rows are kept', async () => {
  await begin('/application/completed');
  await page.getByText('Columns', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Cluster' }).uncheck();
  await page.getByRole('checkbox', { name: 'Compact rows' }).check();
  await page.reload();
  await settle(page);
  assert.equal(await page.getByRole('columnheader', { name: 'Cluster' }).count(), 0);
  assert.equal(await page.locator('tbody tr[data-key]').first().evaluate((row) => row.getBoundingClientRect().height), 28);
});

test('a search is limited to a cluster and a period, and counts its results', async () => {
  await begin('/search?q=hourly');
  await page.getByText(`${RUNS.sql} results`).waitFor();
  await page.getByRole('combobox', { name: 'Cluster' }).fill(jobs.sql[0].cluster);
  await page.keyboard.press('Enter');
  await page.getByText('1 result', { exact: true }).waitFor();
  await open.go('/search?q=hourly&within=24h');
  const { total } = await json(server, `api/v1/search?q=hourly&end_from=${Date.parse('2026-11-21T20:24:00Z')}`);
  assert.ok(total.count < RUNS.sql);
  await page.getByText(`${total.count} results`).waitFor();
});
