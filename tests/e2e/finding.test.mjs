// Facets, views, search, runs of a name and statistics show the answers of the query API.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { IDS, json, settle, TWICE } from './support.mjs';
import { begin, open, page, server, useNewPages, useServer } from './shared.mjs';

useServer();
useNewPages();

const api = (path) => json(server, `api/v1/${path}`);
const ids = (answer) => answer.items.map(({ id }) => id);
const keys = (table) => page.getByRole('table', { name: table, exact: true }).locator('tbody tr[data-key]').evaluateAll((rows) => rows.map((row) => row.dataset.key));
const waitForIds = (wanted) => page.waitForFunction((all) => [...document.querySelectorAll('tbody tr[data-key]')].map((row) => row.dataset.key).join() === all, wanted.join());

test('a facet has the number of matches of each value, and choosing a value shows as many', async () => {
  await begin('/job/completed');
  const facets = await api('jobs/facets');
  for (const [label, parameter, facet] of [
    ['Archive directory', 'directory', 'directory'],
    ['Job type', 'job_type', 'job_type'],
    ['Cluster', 'cluster', 'cluster'],
  ]) {
    const choice = page.getByRole('combobox', { name: label });
    const words = facets[facet].map(({ value, count }) => `${value} (${count})`);
    await choice.locator('option').nth(words.length).waitFor({ state: 'attached' });
    await page.waitForFunction(([name, wanted]) => [...document.querySelector(`select[aria-label="${name}"]`).options].slice(1).map(({ text }) => text).join() === wanted, [label, words.join()]);
    const { value, count } = facets[facet].at(-1);
    await choice.selectOption(value);
    const left = ids(await api(`jobs?${new URLSearchParams({ [parameter]: value })}`));
    assert.equal(left.length, count);
    await waitForIds(left);
    await choice.selectOption('');
    await waitForIds(ids(await api('jobs')));
  }
});

test('an id opens its page', async () => {
  await begin('/job/completed');
  await page.keyboard.press('/');
  await page.keyboard.type(IDS.failing);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'REST always failing' }).waitFor();
});

test('a filter is saved as a view, survives a reload, and is deleted', async () => {
  await begin('/application/completed?status=FAILED&sort=name');
  await page.getByRole('button', { name: 'Save as a view' }).click();
  await page.keyboard.type('what failed');
  await page.keyboard.press('Enter');
  const views = page.getByRole('group', { name: 'Saved views' });
  await views.getByRole('link', { name: 'what failed' }).waitFor();
  await open.go('/application/completed');
  await page.reload();
  await settle(page);
  await views.getByRole('link', { name: 'what failed' }).click();
  await waitForIds(ids(await api('applications?status=FAILED&sort=name')));
  assert.match(await page.evaluate(() => window.location.hash), /status=FAILED&sort=name/);
  await page.getByRole('button', { name: 'Delete the view what failed' }).click();
  await views.getByRole('link').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Save as a view' }).waitFor();
});

test('with the keyboard alone: from a word of an exception to the trace that contains it, marked', async () => {
  await begin('/server');
  await page.keyboard.press('/');
  await page.waitForFunction(() => document.activeElement?.matches('input[data-search]'));
  await page.keyboard.type('kaboom attempt');
  await page.locator('.result').first().waitFor();
  const { items } = await api('search?q=kaboom+attempt');
  await page.waitForFunction((count) => document.querySelectorAll('.result').length === count, items.length);
  assert.deepEqual(
    await page.locator('.result').evaluateAll((all) => all.map((one) => one.querySelectorAll('.match').length)),
    items.map(({ matches }) => matches.length),
  );
  assert.deepEqual(
    await page.locator('.excerpt').allTextContents(),
    items.flatMap(({ matches }) => matches.map(({ excerpt }) => excerpt.map(({ text }) => text).join(''))),
  );
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await settle(page);
  await page.locator('mark').first().waitFor();
  assert.match(await page.evaluate(() => window.location.hash), /exceptions\?search=/);
  await page.goBack();
  await page.waitForFunction((count) => document.querySelectorAll('.result').length === count, items.length);
  assert.equal(await page.getByRole('searchbox').inputValue(), 'kaboom attempt');
});

test('a search is restricted to fields and states, which are in the address', async () => {
  await begin('/search?q=legacy');
  const shown = async (path) => page.waitForFunction((names) => [...document.querySelectorAll('.result .name')].map((one) => one.textContent).join() === names, (await api(path)).items.map(({ name }) => name).join());
  await shown('search?q=legacy');
  await page.getByRole('button', { name: 'Names', exact: true }).click();
  await page.getByRole('button', { name: 'failed', exact: true }).click();
  await shown('search?q=legacy&in=name&status=FAILED');
  assert.match(await page.evaluate(() => window.location.hash), /q=legacy&in=name&status=FAILED/);
  await open.go('/application/completed?name=legacy');
  await page.getByRole('link', { name: 'Search everywhere' }).click();
  await shown('search?q=legacy');
});

test('from a job to the chart and list of all runs of its name, and back to one of them', async () => {
  await begin(`/job/completed/${IDS.hostile}/overview`);
  await page.getByRole('link', { name: 'Runs of this name' }).click();
  await settle(page);
  const history = await api(`jobs/history?${new URLSearchParams({ name: TWICE })}`);
  assert.deepEqual(await keys('Runs'), ids(history));
  assert.equal(history.items.length, 2);
  assert.equal(await page.locator('figure circle').count(), history.items.length);
  assert.match(await page.locator('.summary').innerText(), /^2 runs:\s+0 of the last 2 failed/);
  const oldest = history.items.at(-1);
  const box = await page.locator('figure svg').boundingBox();
  await page.mouse.click(box.x + 70, box.y + 40);
  await page.waitForFunction((id) => window.location.hash.includes(id), oldest.id);
});

test('a run shows its records, checkpoints, restarts and failure', async () => {
  for (const id of [IDS.legacyFailing, IDS.streaming, IDS.savepoint]) {
    const { name } = await api(`jobs/${id}`);
    // A narrower window has fewer columns.
    await begin(`/runs/jobs?${new URLSearchParams({ name })}`, { viewport: { width: 1920, height: 900 } });
    const [run, ...others] = (await api(`jobs/history?${new URLSearchParams({ name })}`)).items;
    assert.deepEqual(others, []);
    const table = page.getByRole('table', { name: 'Runs' });
    const labels = await table.getByRole('columnheader').allInnerTexts();
    const cell = (label) => table.getByRole('row').last().getByRole('cell').nth(labels.indexOf(label));
    const shown = async (label) => (await cell(label).innerText()).trim();
    const count = (value) => (value === null ? '–' : value.toLocaleString('en-US'));
    assert.equal(await shown('Restarts'), count(run.restarts));
    assert.equal(await shown('Records read'), count(run.read_records));
    assert.equal(await shown('Records written'), count(run.write_records));
    assert.equal(await shown('Checkpoints'), `${count(run.checkpoints_completed)}${run.checkpoints_failed ? `, ${count(run.checkpoints_failed)} failed` : ''}`);
    if (run.last_checkpoint_size !== null) assert.equal(await cell('Last size').locator('span').getAttribute('title'), `${count(run.last_checkpoint_size)} bytes`);
    if (run.longest_checkpoint_duration !== null) assert.match(await cell('Longest').locator('span').getAttribute('title'), new RegExp(`\\(${count(run.longest_checkpoint_duration)} ms\\)`));
    assert.equal(labels.includes('Failure'), run.root_cause_class !== null);
    if (run.root_cause_class !== null) {
      const failed = run.status === 'FAILED';
      assert.equal(await shown('Failure'), failed ? run.root_cause_class.split('.').at(-1) : 'recovered');
      const chain = run.root_exception_class === run.root_cause_class ? run.root_cause_class : `${run.root_exception_class}, caused by ${run.root_cause_class}`;
      assert.equal(await cell('Failure').getByRole('link').getAttribute('title'), failed ? chain : `It recovered from ${chain}`);
      await cell('Failure').getByRole('link').click();
      await page.waitForFunction((wanted) => window.location.hash === wanted, `#/job/completed/${id}/exceptions`);
    }
    assert.deepEqual(open.faults, []);
    if (id !== IDS.savepoint) await open.close();
  }
});

test('the chart of runs shows the selected measure, which is in the address', async () => {
  await begin(`/runs/jobs?${new URLSearchParams({ name: TWICE })}`);
  const { items } = await api(`jobs/history?${new URLSearchParams({ name: TWICE })}`);
  const choice = page.getByRole('group', { name: 'Measure of the chart' });
  // These jobs have no checkpoints, so the chart has no measures of checkpoints.
  assert.deepEqual(items.map(({ last_checkpoint_size: size }) => size), [null, null]);
  assert.deepEqual(await choice.getByRole('button').allInnerTexts(), ['Duration', 'Records read', 'Records written', 'Restarts']);
  await choice.getByRole('button', { name: 'Records written' }).click();
  await page.locator('figure').getByText('Records written by end time').waitFor();
  const box = await page.locator('figure svg').boundingBox();
  await page.mouse.move(box.x + 70, box.y + 40);
  assert.equal(await page.locator('figure .key b').innerText(), items.at(-1).write_records.toLocaleString('en-US'));
  assert.match(await page.evaluate(() => window.location.hash), /show=records_written/);
  await page.reload();
  await settle(page);
  assert.equal(await choice.getByRole('button', { name: 'Records written' }).getAttribute('aria-pressed'), 'true');
  await open.go(`/runs/jobs?${new URLSearchParams({ name: TWICE, show: 'checkpoint_size' })}`);
  await page.getByText('No run has this figure: last checkpoint size.').waitFor();
});

test('statistics: every state of every bucket, percentiles, and the most failures by name', async () => {
  await begin('/statistics?period=7d');
  const now = Date.parse('2026-11-22T20:00:00Z');
  const found = await api(`statistics?from=${now - 7 * 86_400_000}&to=${now + 3_600_000}`);
  const bars = found.buckets.flatMap(({ counts }) => Object.keys(counts)).length;
  assert.ok(bars > 0);
  assert.equal(await page.locator('figure').first().locator('rect').count(), bars);
  assert.deepEqual((await keys('Most failures by name')).sort(), found.failing_names.map(({ name }) => name).sort());
  const all = found.buckets.flatMap(({ counts }) => Object.values(counts)).reduce((a, b) => a + b);
  assert.equal(await page.locator('.tiles dd').first().innerText(), String(all));
  assert.equal(await page.locator('.tiles dd').nth(2).locator('span').getAttribute('title').then((title) => /\((.*) ms\)/.exec(title)[1]), found.durations.p50.toLocaleString('en-US'));
  await page.getByRole('table', { name: 'Most failures by name' }).getByRole('link').first().click();
  await page.getByRole('table', { name: 'Runs' }).waitFor();
  await page.goBack();
  const ended = found.buckets.filter(({ counts }) => Object.keys(counts).length > 0);
  await page.getByRole('table', { name: 'By day' }).getByRole('link').first().click();
  await waitForIds(ids(await api(`jobs?end_from=${ended.at(-1).start}&end_to=${ended.at(-1).start + 86_400_000}`)));
});

test('statistics have links to their jobs: the failed ones of a name in the period, and the failures with an exception', async () => {
  await begin('/statistics?period=7d');
  const now = Date.parse('2026-11-22T20:00:00Z');
  const found = await api(`statistics?from=${now - 7 * 86_400_000}&to=${now + 3_600_000}`);
  assert.deepEqual(await keys('Most frequent exceptions'), found.exceptions.sort((a, b) => b.jobs - a.jobs).map((one) => one.class));
  const first = found.exceptions[0];
  const row = page.getByRole('table', { name: 'Most frequent exceptions' }).locator('tbody tr').first();
  assert.equal(await row.getByRole('cell').last().innerText(), String(first.jobs));
  await row.getByRole('link').click();
  await settle(page);
  const { items } = await api(`search?${new URLSearchParams({ q: `"${first.class}"`, in: 'exception', status: 'FAILED', end_from: now - 7 * 86_400_000, end_to: now + 3_600_000 })}`);
  assert.ok(items.filter(({ kind }) => kind === 'job').length >= first.jobs);
  assert.deepEqual(await page.locator('.result .name').allTextContents(), items.map(({ name }) => name));
  await page.goBack();
  const { name, failed } = found.failing_names.at(-1);
  await page.locator(`tr[data-key="${name}"]`).getByRole('link').last().click();
  const wanted = ids(await api(`jobs?${new URLSearchParams({ name, name_match: 'exact', status: 'FAILED', end_from: now - 7 * 86_400_000, end_to: now + 3_600_000 })}`));
  assert.equal(wanted.length, failed);
  await waitForIds(wanted);
});

test('an exact name leaves out names that only contain it, until the exact match is switched off', async () => {
  await begin('/job/completed?name=MULTI+part+1+of+3&match=exact');
  await waitForIds(ids(await api('jobs?name=multi+part+1+of+3&name_match=exact')));
  await open.go('/job/completed?name=multi&match=exact');
  assert.deepEqual(await keys('Completed Jobs'), []);
  await page.getByRole('button', { name: 'Exactly this name' }).click();
  await waitForIds(ids(await api('jobs?name=multi')));
  assert.doesNotMatch(await page.evaluate(() => window.location.hash), /match/);
});

test('statistics of applications, by hour, of a name', async () => {
  await begin('/statistics?kind=applications&period=24h&name=corpus');
  const now = Date.parse('2026-11-22T20:00:00Z');
  const found = await api(`statistics?kind=applications&bucket=hour&name=corpus&from=${now - 86_400_000}&to=${now + 3_600_000}`);
  const all = found.buckets.flatMap(({ counts }) => Object.values(counts)).reduce((a, b) => a + b);
  assert.equal(await page.locator('.tiles dd').first().innerText(), String(all));
  await page.getByRole('searchbox').fill('nothing is called so');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing ended in this period').waitFor();
});

test('the list is exported with its filter', async () => {
  await begin('/job/completed?status=FAILED&sort=name');
  const { items } = await api('jobs?status=FAILED&sort=name');
  for (const [label, read] of [
    ['NDJSON', (text) => text.trim().split('\n').map((line) => JSON.parse(line).id)],
    ['CSV', (text) => items.map(({ id }) => id).filter((id) => text.includes(id))],
  ]) {
    if (!(await page.getByRole('link', { name: label, exact: true }).isVisible())) await page.getByText('Export', { exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: label, exact: true }).click()]);
    assert.deepEqual(read(readFileSync(await download.path(), 'utf8')), items.map(({ id }) => id));
  }
});

test('the stored archive of an application is downloaded', async () => {
  await begin(`/application/completed/${IDS.mixedApplication}/overview`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Archive' }).click()]);
  assert.match(download.suggestedFilename(), /\.zip$/);
});
