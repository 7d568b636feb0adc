// The comparison of two jobs shows the answer of the server, and its whole state is in the address.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDS, json, settle, TWICE } from './support.mjs';
import { begin, open, page, server, useNewPages, useServer } from './shared.mjs';

useServer();
useNewPages();

const compared = (left, right) => json(server, `api/v1/jobs/compare?left=${left}&right=${right}`);
const table = (name) => page.getByRole('table', { name, exact: true });
const texts = async (rows) => rows.evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.innerText.replaceAll('\u00a0', ' ').trim())));
const count = (value) => value.toLocaleString('en-US');
const hash = () => page.evaluate(() => window.location.hash);

test('figures, configuration and vertices of two jobs are the ones of the server', async () => {
  await begin(`/compare/jobs?left=${IDS.legacyFailing}&right=${IDS.wide}`);
  const { left, right, left_facts, right_facts, configuration, configuration_equal, vertices } = await compared(IDS.legacyFailing, IDS.wide);
  for (const [name, job] of [['Left job', left], ['Right job', right]]) {
    const side = page.getByRole('region', { name });
    assert.equal(await side.getByRole('link').innerText(), job.name);
    assert.match(await side.innerText(), new RegExp(`${job.status}[^]*${job.id}`));
  }
  const figures = Object.fromEntries((await texts(table('Figures of both jobs').locator('tbody tr'))).map(([name, ...rest]) => [name, rest]));
  assert.deepEqual(figures['Flink version'], [left_facts.flink_version, right_facts.flink_version, 'differs']);
  assert.deepEqual(figures['Restarts'].slice(0, 2), [left_facts.restarts, right_facts.restarts].map(count));
  assert.deepEqual(figures['Records written'].slice(0, 2), [left_facts.io.write_records, right_facts.io.write_records].map(count));
  assert.deepEqual(figures['Innermost cause'], [left_facts.root_exception.cause_class, '–', 'only left']);
  assert.deepEqual(figures['Checkpoints completed'], ['0', '0', 'same']);
  assert.equal(await page.getByText(`${configuration.length} differ, ${configuration_equal} keys are equal`).count(), 1);
  assert.deepEqual(
    await texts(table('Configuration that differs').locator('tbody tr')),
    configuration.map((one) => [one.key, ...[one.left, one.right].map((value) => value ?? 'not set')]),
  );
  const groups = table('Vertices of both jobs').locator('tbody');
  assert.equal(await groups.count(), vertices.length);
  assert.deepEqual(new Set(vertices.map(({ change }) => change)), new Set(['changed', 'removed', 'added']));
  for (const [index, vertex] of vertices.entries()) {
    const group = groups.nth(index);
    assert.equal(await group.getAttribute('data-change'), { added: 'plus', removed: 'minus', changed: 'differs', same: 'equal' }[vertex.change]);
    const head = await group.locator('tr').first().innerText();
    assert.match(head.toLowerCase(), new RegExp(vertex.change));
    assert.ok(head.includes(vertex.name));
    for (const side of ['left', 'right']) {
      const row = group.locator(`tr[data-side=${side}]`);
      assert.equal(await row.count(), vertex[side] ? 1 : 0);
      if (!vertex[side]) continue;
      const [[, parallelism, maxParallelism, , readRecords, , writeRecords]] = await texts(row);
      const of = vertex[side];
      assert.deepEqual([parallelism, maxParallelism, readRecords, writeRecords], [of.parallelism, of.max_parallelism, of.read_records, of.write_records].map(count));
    }
  }
  assert.ok((await groups.first().innerText()).includes(`${vertices[0].left.name} → ${vertices[0].right.name}`));
});

/** True of a vertex whose plan or figures differ. */
const differs = ({ change, left, right }) => change !== 'same' || ['duration', 'read_records', 'read_bytes', 'write_records', 'write_bytes'].some((key) => left[key] !== right[key]);

test('a vertex with the same plan and other figures says both, and is a difference', async () => {
  await begin();
  await page.route('**/api/v1/jobs/compare?*', async (route) => {
    const answer = await (await route.fetch()).json();
    const [first] = answer.vertices.filter(({ left, right }) => left && right);
    const same = { ...first, change: 'same', differences: [], right: first.left };
    await route.fulfill({ json: { ...answer, vertices: [{ ...same, name: 'slower', right: { ...first.left, duration: first.left.duration * 2 } }, { ...same, name: 'equal' }] } });
  });
  await open.go(`/compare/jobs?left=${IDS.legacyBatch}&right=${IDS.batch}&only=differences`);
  const groups = table('Vertices of both jobs').locator('tbody');
  assert.equal(await groups.count(), 1);
  assert.match(await groups.innerText(), /^Same plan\s+Figures differ\s+slower/);
  await page.getByText('Plan: 2 same. Figures: 1 differs.').waitFor();
  for (const badge of await groups.locator('.change').all()) assert.ok((await badge.boundingBox()).height < 24, 'a badge is one line');
});

test('the page can show differences only and swap the sides, and both are in the address', async () => {
  await begin(`/compare/jobs?left=${IDS.legacyBatch}&right=${IDS.batch}`);
  const { vertices } = await compared(IDS.legacyBatch, IDS.batch);
  const groups = table('Vertices of both jobs').locator('tbody');
  const changed = vertices.filter(differs).length;
  assert.ok(changed > 0);
  assert.equal(await groups.count(), vertices.length);
  await page.getByRole('button', { name: 'Only differences' }).click();
  await page.waitForFunction((wanted) => document.querySelectorAll('tbody[data-change]').length === wanted, changed);
  assert.equal(await table('Figures of both jobs').getByText('same', { exact: true }).count(), 0);
  assert.match(await hash(), /only=differences/);
  await page.getByRole('link', { name: 'Swap left and right' }).click();
  await page.getByRole('region', { name: 'Left job' }).getByText(IDS.batch).waitFor();
  assert.equal(await groups.count(), (await compared(IDS.batch, IDS.legacyBatch)).vertices.filter(differs).length);
  assert.match(await hash(), new RegExp(`left=${IDS.batch}.*only=differences`));
});

test('the page asks for a missing or invalid id, and an entered id leads to the comparison', async () => {
  await begin('/compare/jobs');
  await page.getByText('Enter the id of the left job.').waitFor();
  await page.getByText('Enter the id of the right job.').waitFor();
  await page.getByRole('textbox', { name: 'Left' }).fill(IDS.failing);
  await page.getByRole('textbox', { name: 'Right' }).fill('my job');
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByText('This right id is invalid').waitFor();
  await page.getByRole('link', { name: 'The runs of REST always failing' }).waitFor();
  await page.getByRole('textbox', { name: 'Right' }).fill(IDS.wide);
  await page.keyboard.press('Enter');
  await settle(page);
  await table('Figures of both jobs').waitFor();
  assert.match(await hash(), new RegExp(`left=${IDS.failing}&right=${IDS.wide}$`));
});

test('an unknown job is reported as not found, with a retry', async () => {
  const missing = '0123456789abcdef0123456789abcdef';
  await begin(`/compare/jobs?left=${IDS.failing}&right=${missing}`);
  await page.getByRole('alert').getByText('There is no such job: check `right`').waitFor();
  const again = page.waitForRequest((request) => request.url().includes('/jobs/compare'));
  await page.getByRole('button', { name: 'Try again' }).click();
  await again;
  await page.getByRole('textbox', { name: 'Right' }).fill(IDS.wide);
  await page.keyboard.press('Enter');
  await table('Figures of both jobs').waitFor();
  // The browser itself reports the 404.
  open.faults = open.faults.splice(0).filter((fault) => !fault.includes('404'));
});

test('missing figures and configurations are reported', async () => {
  await begin('/compare/jobs');
  await page.route('**/api/v1/jobs/compare?*', async (route) => {
    const response = await route.fetch();
    return route.fulfill({ response, json: { ...(await response.json()), left_facts: null, configuration: null, configuration_equal: null } });
  });
  await open.go(`/compare/jobs?left=${IDS.failing}&right=${IDS.wide}`);
  await page.getByText('The left job has no figures yet').waitFor();
  await page.getByText('The configurations cannot be compared').waitFor();
  assert.equal(await table('Figures of both jobs').getByRole('row', { name: /Flink version – / }).count(), 1);
});

const runsOfTwice = `/runs/jobs?${new URLSearchParams({ name: TWICE })}`;

test('with the keyboard alone: two runs are selected and compared, the earlier one on the left, and the Back button keeps the selection', async () => {
  await begin(runsOfTwice);
  const button = page.getByRole('button', { name: 'Compare', exact: true });
  const choices = page.getByRole('checkbox');
  assert.equal(await choices.count(), 2);
  assert.equal(await button.isDisabled(), true);
  for (const index of [0, 1]) {
    await choices.nth(index).focus();
    await page.keyboard.press('Space');
    await page.waitForFunction((wanted) => document.querySelectorAll('input:checked').length === wanted, index + 1);
    assert.equal(await button.isDisabled(), index === 0);
  }
  await button.focus();
  await page.keyboard.press('Enter');
  await table('Figures of both jobs').waitFor();
  assert.equal(await hash(), `#/compare/jobs?left=${IDS.hostile}&right=${IDS.hostileBefore}`);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll('input:checked').length === 2);
  await page.getByRole('button', { name: 'Clear selection' }).click();
  await page.waitForFunction(() => document.querySelectorAll('input:checked').length === 0);
  assert.equal(await hash(), `#${runsOfTwice.replaceAll('%2C', ',')}`);
});

test('each run except the first has a link to the comparison with the previous one', async () => {
  await begin(runsOfTwice);
  const { items } = await json(server, `api/v1/jobs/history?${new URLSearchParams({ name: TWICE })}`);
  const links = page.getByRole('link', { name: /^Compare run .* with the previous run$/ });
  assert.equal(await links.count(), items.length - 1);
  await links.first().click();
  await page.waitForFunction((wanted) => window.location.hash === wanted, `#/compare/jobs?left=${items[1].id}&right=${items[0].id}`);
});

test('a job has a link to the comparison with the previous run, or says that there is none', async () => {
  const { items } = await json(server, `api/v1/jobs/history?${new URLSearchParams({ name: TWICE })}`);
  await begin(`/job/completed/${items.at(-1).id}/overview`);
  await page.getByText('No previous run').waitFor();
  await open.go(`/job/completed/${items[0].id}/overview`);
  await page.getByRole('link', { name: 'Compare with the previous run' }).click();
  await table('Figures of both jobs').waitFor();
  assert.equal(await hash(), `#/compare/jobs?left=${items[1].id}&right=${items[0].id}`);
});
