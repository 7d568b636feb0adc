// The same id in two clusters and two directories: each copy has its page, and every page says which copy it shows.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertAccessible, assertFits, DESKTOP, FIXTURES, IDS, json, NARROW, settle } from './support.mjs';
import { begin, open, page, prepare, server, temporary, useNewPages, useServer } from './shared.mjs';

const CLUSTER = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
const OTHER = 'spare, “b” & <i>';
const ID = IDS.failing;

useServer(() => {
  const root = temporary('copies');
  const application = join(FIXTURES[0], CLUSTER, 'applications', ID);
  cpSync(application, join(root, 'one', CLUSTER, 'applications', ID), { recursive: true, preserveTimestamps: true });
  // An older archive with other words, so that a test can identify the shown copy.
  const copy = join(root, 'two', OTHER, 'applications', ID);
  mkdirSync(join(copy, 'jobs'), { recursive: true });
  for (const file of ['application-summary', join('jobs', ID)]) {
    writeFileSync(join(copy, file), readFileSync(join(application, file), 'utf8').replaceAll('kaboom', 'rumble'));
    utimesSync(join(copy, file), 1_700_000_000, 1_700_000_000);
  }
  const legacy = IDS.legacyFailing;
  for (const name of ['one', 'two']) cpSync(join(FIXTURES[2], legacy), join(root, name, legacy), { preserveTimestamps: true });
  return { directories: [join(root, 'two'), join(root, 'one')] };
});
useNewPages();

let other;
prepare(async () => {
  const { copies } = await json(server, `api/v1/jobs/${ID}`);
  assert.equal(copies.length, 2);
  other = copies.find(({ shown }) => !shown);
  assert.equal(other.cluster, OTHER);
});

/** The place in an address: `/` stands for no cluster. */
const placeOf = ({ cluster, directory }) => new URLSearchParams({ cluster: cluster ?? '/', directory });
const query = () => page.evaluate(() => Object.fromEntries(new URLSearchParams(window.location.hash.split('?')[1])));
const expected = () => ({ cluster: other.cluster, directory: other.directory });

test('from the list to the other copy, through its tabs and a vertex, and to the default copy', async () => {
  await begin('/job/completed');
  const rows = page.locator(`tr[data-key^="${ID}"]`);
  assert.equal(await rows.count(), 2);
  const marked = rows.filter({ hasText: 'another copy' });
  assert.equal(await marked.count(), 1);
  await marked.getByRole('link').click();
  await settle(page);
  const note = page.getByRole('region', { name: 'Copies' });
  assert.match(await note.innerText(), /This id is archived 2 times\. This page shows the copy of [^]*Flink’s addresses show another copy/);
  assert.ok((await note.innerText()).includes(other.directory));
  assert.deepEqual(await query(), expected());
  for (const [name, content] of [
    ['Exceptions', 'rumble'],
    ['TimeLine', 'boom -> discard: Writer'],
    ['Checkpoints', 'Completed'],
    ['Job Configuration', 'parallelism'],
    ['Cluster Configuration', 'rest.port'],
    ['Overview', 'rumble'],
  ]) {
    await page.getByRole('navigation', { name: 'Job' }).getByRole('link', { name }).click();
    await settle(page);
    await page.locator('main').getByText(content).first().waitFor();
    assert.deepEqual(await query(), expected(), name);
    if (name !== 'Checkpoints') continue;
    await page.getByRole('link', { name: /^History/ }).click();
    await settle(page);
    assert.deepEqual(await query(), { view: 'history', ...expected() });
  }
  await page.getByRole('table', { name: 'Vertices of the job' }).getByRole('link', { name: /boom/ }).click();
  await page.getByRole('link', { name: /^SubTasks/ }).click();
  await settle(page);
  assert.deepEqual(await query(), expected());
  assert.equal(await page.getByRole('table', { name: 'Subtasks', exact: true }).locator('tbody tr:not(.detail)').count(), 4);
  const { subtasks } = await json(server, `jobs/${ID}/vertices/20ba6b65f97481d5570070de90e4e791`);
  await page.getByRole('button', { name: 'Attempts of subtask 1' }).click();
  await page.waitForFunction((wanted) => document.querySelectorAll('[aria-label="Subtasks"] tbody tr:not(.detail)').length === wanted, 4 + subtasks[1].attempt);
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => window.location.hash.includes('/overview?'));
  await note.getByRole('link').click();
  await settle(page);
  assert.deepEqual(await query(), {});
  assert.match(await note.innerText(), /Flink’s addresses show this copy/);
  await page.locator('main').getByText('kaboom').first().waitFor();
});

test('the links to documents and the archive are of the shown copy', async () => {
  await begin(`/job/completed/${ID}/exceptions?${placeOf(other)}`);
  const raw = await page.locator('main').getByRole('link', { name: 'JSON', exact: true }).first().getAttribute('href');
  const own = await json(server, raw);
  assert.ok(JSON.stringify(own).includes('rumble'));
  assert.notDeepEqual(own, await json(server, `jobs/${ID}/exceptions`));
  const archive = new URL(await page.getByRole('link', { name: 'Archive' }).getAttribute('href'), server.url);
  assert.deepEqual(Object.fromEntries(archive.searchParams), expected());
});

test('an application, its jobs and the link back are of one copy', async () => {
  await begin(`/application/completed/${ID}/overview?${placeOf(other)}`);
  await page.locator('main').getByText('rumble').first().waitFor();
  await page.getByRole('table', { name: 'Jobs of the application' }).getByRole('link').click();
  await page.getByRole('link', { name: 'Return to Application' }).waitFor();
  assert.deepEqual(await query(), expected());
  await page.getByRole('link', { name: 'Return to Application' }).click();
  await page.getByRole('table', { name: 'Jobs of the application' }).waitFor();
  assert.deepEqual(await query(), expected());
  for (const viewport of [DESKTOP, NARROW]) {
    await open.display({ viewport });
    await assertFits(page, 'application');
  }
  await assertAccessible(page, 'an application with copies');
});

test('a match in the other copy only leads to this copy', async () => {
  await begin('/search?q=rumble');
  const { items } = await json(server, 'api/v1/search?q=rumble');
  assert.ok(items.length > 0 && items.every(({ shown }) => !shown));
  assert.equal(await page.locator('.result').getByText('another copy').count(), items.length);
  await page.locator('.excerpt').first().click();
  await settle(page);
  const { search, ...place } = await query();
  assert.equal(search, 'rumble');
  assert.deepEqual(place, expected());
  await page.locator('mark').first().waitFor();
});

test('two copies of one job are runs of its name that can be compared', async () => {
  const { name } = await json(server, `api/v1/jobs/${ID}`);
  await begin(`/runs/jobs?${new URLSearchParams({ name })}`);
  for (const box of await page.getByRole('checkbox').all()) await box.check();
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('table', { name: 'Figures of both jobs' }).waitFor();
  const named = Object.entries(await query()).filter(([key]) => !['left', 'right'].includes(key));
  const side = named[0][0].split('_')[0];
  assert.deepEqual(Object.fromEntries(named), { [`${side}_cluster`]: other.cluster, [`${side}_directory`]: other.directory });
  const card = page.getByRole('region', { name: `${side === 'left' ? 'Left' : 'Right'} job` });
  await card.getByText(other.directory).waitFor();
  await card.getByRole('link').click();
  await page.getByRole('region', { name: 'Copies' }).waitFor();
  assert.deepEqual(await query(), expected());
});

test('a legacy job is identified by its directory, and a missing copy is reported', async () => {
  const { copies } = await json(server, `api/v1/jobs/${IDS.legacyFailing}`);
  const second = copies.find(({ shown }) => !shown);
  await begin(`/job/completed/${IDS.legacyFailing}/overview?${placeOf(second)}`);
  await page.getByRole('region', { name: 'Copies' }).getByText('Flink’s addresses show another copy').waitFor();
  await page.getByRole('table', { name: 'Vertices of the job' }).waitFor();
  const archive = await fetch(new URL(await page.getByRole('link', { name: 'Archive' }).getAttribute('href'), server.url));
  assert.equal(archive.status, 200);
  await open.go(`/job/completed/${ID}/overview?cluster=unknown`);
  await page.getByRole('alert').first().waitFor();
  await page.getByRole('link', { name: 'The copy that Flink’s addresses show' }).click();
  await page.getByRole('heading', { level: 1, name: 'REST always failing' }).waitFor();
  open.faults = open.faults.splice(0).filter((fault) => !fault.includes('404'));
});
