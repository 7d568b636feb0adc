// The pages show their documents: the numbers of rows, and the figures, are compared with the JSON of the server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDS, json, settle } from './support.mjs';
import { open, page, server, useOnePage, useServer } from './shared.mjs';

useServer();
useOnePage();

const rows = (label) => page.getByRole('table', { name: label, exact: true }).locator('tbody tr:not(.detail)');
const cell = (row, index) => row.getByRole('cell').nth(index).innerText();
const job = (id, rest = '') => json(server, `jobs/${id}${rest}`);

test('every completed application is listed, newest first, with the counts of its jobs', async () => {
  const { applications } = await json(server, 'applications/overview');
  await page.setViewportSize({ width: 1920, height: 900 });
  await open.go('/application/completed');
  assert.equal(await rows('Completed Applications').count(), applications.length);
  const ends = await rows('Completed Applications').locator('td[data-card="line"] time').evaluateAll((times) => times.map((time) => Date.parse(time.dateTime)));
  assert.deepEqual(ends, applications.map((one) => one['end-time']).sort((a, b) => b - a));
  const mixed = applications.find(({ id }) => id === IDS.mixedApplication);
  const shown = await page.locator(`[data-key="${IDS.mixedApplication}"] .counts`).getAttribute('title');
  assert.equal(shown, `${Object.values(mixed.jobs).reduce((a, b) => a + b)} jobs: 1 FAILED, 1 CANCELED, 1 FINISHED`);
});

test('every completed job is listed', async () => {
  const { jobs } = await json(server, 'jobs/overview');
  await open.go('/job/completed');
  assert.equal(await rows('Completed Jobs').count(), jobs.length);
  assert.deepEqual((await rows('Completed Jobs').evaluateAll((all) => all.map((row) => row.dataset.key))).sort(), jobs.map(({ jid }) => jid).sort());
});

test('the sidebar has the numbers of applications and jobs', async () => {
  const { figures } = await json(server, 'api/v1/status');
  await open.go('/server');
  assert.match(await page.getByRole('link', { name: /^Applications/ }).innerText(), new RegExp(`\\b${figures.applications}$`));
  assert.match(await page.getByRole('link', { name: /^Jobs/ }).innerText(), new RegExp(`\\b${figures.jobs}$`));
});

test('an application shows all its jobs', async () => {
  const application = await json(server, `applications/${IDS.mixedApplication}`);
  await open.go(`/application/completed/${IDS.mixedApplication}/overview`);
  assert.equal(await rows('Jobs of the application').count(), application.jobs.length);
  for (const { jid, name, state } of application.jobs) {
    const row = page.locator(`tr[data-key="${jid}"]`);
    assert.match(await cell(row, 0), new RegExp(`^${name}`));
    assert.equal(await cell(row, 5), state);
  }
});

test('an application whose main method threw has no jobs and shows the cause', async () => {
  await open.go(`/application/completed/${IDS.mainThrew}/overview`);
  assert.equal(await rows('Jobs of the application').count(), 0);
  await page.getByText('This application ran no job').waitFor();
  await page.getByRole('region', { name: 'Root cause' }).waitFor();
});

/** The shown number of restarts: a lower bound if the exact number is unknown. */
const restarts = (facts) => facts.restarts ?? (facts.restarts_at_least > 0 ? `≥ ${facts.restarts_at_least}` : '–');

test('the head of a job has the facts of its archive, and no others', async () => {
  for (const id of [IDS.savepoint, IDS.failing, IDS.legacyFailing, IDS.rescaled, IDS.batch]) {
    const { facts, job_type } = await json(server, `api/v1/jobs/${id}`);
    await open.go(`/job/completed/${id}/overview`);
    const shown = Object.fromEntries(await page.locator('dl.facts .fact').evaluateAll((all) => all.map((fact) => [...fact.children].map((part) => part.innerText.trim()))));
    const word = (value) => (value === null ? undefined : value.toLocaleString('en-US'));
    const expected = { 'Job Type': job_type, Scheduler: facts.scheduler, Parallelism: facts.parallelism, 'Max Parallelism': facts.max_parallelism, 'Flink Version': facts.flink_version, Restarts: restarts(facts) };
    assert.deepEqual(Object.keys(expected).map((label) => shown[label]), Object.values(expected).map(word), id);
    const { completed, failed } = facts.checkpoints ?? {};
    assert.equal(shown.Checkpoints?.replace(/\s+/g, ' '), facts.checkpoints ? `${completed} completed${failed ? ` ${failed} failed` : ''}` : undefined, id);
  }
});

test('the graph and the table have every vertex, with its figures', async () => {
  for (const id of [IDS.batch, IDS.wide, IDS.legacyStreaming]) {
    const { vertices } = await job(id);
    await open.go(`/job/completed/${id}/overview?columns=figures`);
    assert.equal(await page.locator('.node').count(), vertices.length);
    assert.equal(await rows('Vertices of the job').count(), vertices.length);
    for (const vertex of vertices) {
      const row = page.locator(`tr[data-key="${vertex.id}"]`);
      assert.equal(await cell(row, 0), vertex.name);
      assert.equal(await cell(row, 1), vertex.status);
      assert.equal(await row.getByRole('cell').nth(2).locator('span').getAttribute('title'), `${vertex.metrics['read-bytes'].toLocaleString('en-US')} bytes`);
      assert.equal(await cell(row, 5), vertex.metrics['write-records'].toLocaleString('en-US'));
      assert.equal(await cell(row, 6), String(vertex.parallelism));
    }
  }
});

test('the edges of the graph are the inputs of the plan', async () => {
  const { plan } = await job(IDS.batch);
  await open.go(`/job/completed/${IDS.batch}/overview`);
  assert.equal(await page.locator('.edge').count(), plan.nodes.flatMap(({ inputs = [] }) => inputs).length);
});

test('operators that never ran are marked in the graph', async () => {
  const { vertices, 'pending-operators': pending } = await job(IDS.pending);
  await open.go(`/job/completed/${IDS.pending}/overview`);
  assert.equal(await page.locator('.node').count(), vertices.length + pending);
  assert.equal(await page.locator('.pending-operator').count(), pending);
});

test('all 256 subtasks are listed, and rendered when they become visible', async () => {
  const { vertices } = await job(IDS.wide);
  await open.go(`/job/completed/${IDS.wide}/overview/${vertices[1].id}/subtasks`);
  const table = page.getByRole('table', { name: 'Subtasks', exact: true });
  assert.equal(await table.getAttribute('aria-rowcount'), '257');
  const seen = new Set();
  const scroller = page.getByRole('region', { name: 'Subtasks', exact: true });
  for (let top = 0; top < 256 * 36; top += 500) {
    await scroller.evaluate((element, to) => element.scrollTo(0, to), top);
    await page.waitForFunction(() => new Promise((resolve) => requestAnimationFrame(() => resolve(true))));
    for (const key of await rows('Subtasks').evaluateAll((all) => all.map((row) => row.dataset.key).filter(Boolean))) seen.add(key);
  }
  assert.equal(seen.size, 256);
});

test('a subtask with several attempts shows all of them', async () => {
  const { vertices } = await job(IDS.failing);
  const { subtasks } = await job(IDS.failing, `/vertices/${vertices[1].id}`);
  await open.go(`/job/completed/${IDS.failing}/overview/${vertices[1].id}/subtasks`);
  assert.equal(await rows('Subtasks').count(), subtasks.length);
  await page.getByRole('button', { name: 'Attempts of subtask 1' }).click();
  await page.locator('.other-attempt').first().waitFor();
  assert.equal(await rows('Subtasks').count(), subtasks.length + subtasks[1].attempt);
  await page.getByRole('button', { name: 'Time in states' }).click();
  const first = await job(IDS.failing, `/vertices/${vertices[1].id}/subtasks/1/attempts/0`);
  const heads = await page.getByRole('table', { name: 'Subtasks', exact: true }).getByRole('columnheader').allInnerTexts();
  const shown = await page.locator('.other-attempt').last().getByRole('cell').nth(heads.findIndex((head) => head.trim() === 'RUNNING')).innerText();
  assert.equal(shown, `${first['status-duration'].RUNNING} ms`);
});

test('task managers and the links to their logs', async () => {
  const { vertices } = await job(IDS.failing);
  const { taskmanagers } = await job(IDS.failing, `/vertices/${vertices[0].id}/taskmanagers`);
  await open.go(`/job/completed/${IDS.failing}/overview/${vertices[0].id}/taskmanagers`);
  assert.equal(await rows('Task managers').count(), taskmanagers.length);
  const link = page.getByRole('dialog').getByRole('link', { name: /^Log/ }).first();
  assert.equal(await link.getAttribute('href'), `https://logs.example.org/${IDS.failing}/${taskmanagers[0]['taskmanager-id']}`);
  assert.equal(await page.getByRole('link', { name: /Job Manager Log/ }).getAttribute('href'), `https://logs.example.org/${IDS.failing}`);
});

test('accumulators of the job and of each subtask', async () => {
  const { 'user-task-accumulators': all } = await job(IDS.accumulators, '/accumulators');
  const { vertices } = await job(IDS.accumulators);
  await open.go(`/job/completed/${IDS.accumulators}/overview`);
  assert.equal(await rows('Accumulators of the job').count(), all.length);
  await open.go(`/job/completed/${IDS.accumulators}/overview/${vertices[0].id}/accumulators`);
  let expected = 0;
  const { subtasks } = await job(IDS.accumulators, `/vertices/${vertices[0].id}`);
  for (const { subtask, attempt } of subtasks) {
    expected += (await job(IDS.accumulators, `/vertices/${vertices[0].id}/subtasks/${subtask}/attempts/${attempt}/accumulators`))['user-accumulators'].length;
  }
  assert.equal(await rows('Accumulators').count(), expected);
});

test('all exceptions are listed: the root cause of the newest one first, and concurrent ones below', async () => {
  for (const id of [IDS.failing, IDS.legacyFailing]) {
    const { exceptionHistory } = await job(id, '/exceptions');
    await open.go(`/job/completed/${id}/exceptions`);
    assert.equal(await page.locator('.stack > .entry').count(), exceptionHistory.entries.length);
    const concurrent = exceptionHistory.entries[0].concurrentExceptions.length;
    assert.equal(await page.locator('.stack > .entry').first().locator('.concurrent > .entry').count(), concurrent);
    await page.getByRole('button', { name: /^All \d+ lines/ }).first().click();
    assert.equal((await page.locator('pre.trace').first().textContent()).trim(), exceptionHistory.entries[0].stacktrace.trim());
  }
});

test('a search within the exceptions shows and marks the matches', async () => {
  const { exceptionHistory } = await job(IDS.legacyFailing, '/exceptions');
  await open.go(`/job/completed/${IDS.legacyFailing}/exceptions?search=NullPointer`);
  const expected = exceptionHistory.entries.filter((entry) => JSON.stringify(entry).includes('NullPointer')).length;
  assert.equal(await page.locator('.stack > .entry').count(), expected);
  assert.equal(await page.locator('mark').first().innerText(), 'NullPointer');
});

test('the timeline has a lane for every vertex and for every subtask', async () => {
  const { vertices } = await job(IDS.batch);
  await open.go(`/job/completed/${IDS.batch}/timeline`);
  assert.equal(await page.getByRole('region', { name: 'Timeline of the vertices' }).getByRole('listitem').count(), vertices.length);
  await page.getByRole('button', { name: vertices[0].name, exact: true }).click();
  await settle(page);
  const { subtasks } = await job(IDS.batch, `/vertices/${vertices[0].id}/subtasktimes`);
  const lanes = page.getByRole('region', { name: 'Timeline of the subtasks' });
  assert.equal(await lanes.getByRole('listitem').count(), subtasks.length);
  const phases = Object.entries(subtasks[0].timestamps).filter(([state, at]) => at > 0 && state !== 'FINISHED').length;
  assert.equal(await lanes.getByRole('listitem').first().locator('.bar').count(), phases);
});

test('checkpoints: counts, the latest of each kind, and the history with subtasks', async () => {
  const checkpoints = await job(IDS.savepoint, '/checkpoints');
  await open.go(`/job/completed/${IDS.savepoint}/checkpoints`);
  const tiles = await page.locator('dl[aria-label="Checkpoint counts"] dd').allInnerTexts();
  const { counts } = checkpoints;
  assert.deepEqual(tiles.map(Number), [counts.total, counts.in_progress, counts.completed, counts.failed, counts.restored]);
  for (const heading of ['Latest failed checkpoint', 'Latest completed checkpoint', 'Latest savepoint', 'Latest restore']) await page.getByRole('heading', { name: heading }).waitFor();
  assert.equal(await page.locator('figure svg').count(), 2);
  const completed = checkpoints.history.filter(({ status }) => status !== 'FAILED').length;
  assert.equal(await page.locator('figure circle').count(), checkpoints.history.length + 2 * completed, 'each has a duration, and those that completed have two sizes');

  await open.go(`/job/completed/${IDS.savepoint}/checkpoints?view=history`);
  assert.equal(await rows('History of checkpoints').count(), checkpoints.history.length);
  const last = checkpoints.history.find(({ status, is_savepoint }) => status === 'COMPLETED' && !is_savepoint);
  await page.getByRole('button', { name: `Details of checkpoint ${last.id}`, exact: true }).click();
  await settle(page);
  const details = await job(IDS.savepoint, `/checkpoints/details/${last.id}`);
  assert.equal(await rows(`Vertices of checkpoint ${last.id}`).count(), Object.keys(details.tasks).length);
  const { vertices } = await job(IDS.savepoint);
  await page.getByRole('button', { name: vertices[0].name, exact: true }).click();
  await settle(page);
  const subtasks = await job(IDS.savepoint, `/checkpoints/details/${last.id}/subtasks/${vertices[0].id}`);
  assert.equal(await rows('Subtasks of the checkpoint').count(), subtasks.subtasks.length);
});

test('an interval of 2^63-1 is shown as disabled, and "NaN" as a dash', async () => {
  assert.equal((await job(IDS.failing, '/checkpoints/config')).interval, 2 ** 63);
  await open.go(`/job/completed/${IDS.failing}/checkpoints?view=configuration`);
  await page.getByText('periodic checkpoints disabled').waitFor();
  for (const view of ['overview', 'history', 'summary', 'configuration']) {
    await open.go(`/job/completed/${IDS.failing}/checkpoints?view=${view}`);
    assert.doesNotMatch(await page.locator('main').innerText(), /NaN|9\.22|9,223|1970|undefined|null/);
  }
});

test('missing times are not shown as 1970 on any page of a job that was canceled early', async () => {
  for (const tab of ['overview', 'timeline', 'configuration']) {
    await open.go(`/job/completed/${IDS.pending}/${tab}`);
    assert.doesNotMatch(await page.locator('main').innerText(), /NaN|1970|undefined|\bnull\b|-1\b/);
  }
});

test('configuration: every key with its value', async () => {
  const { 'execution-config': execution } = await job(IDS.hostile, '/config');
  await open.go(`/job/completed/${IDS.hostile}/configuration`);
  const user = Object.entries(execution['user-config']);
  assert.equal(await rows('User configuration').count(), user.length);
  for (const [key, value] of user) {
    assert.equal((await rows('User configuration').filter({ has: page.getByRole('rowheader', { name: key, exact: true }) }).locator('td').innerText()).trim(), value);
  }
  const cluster = await job(IDS.hostile, '/jobmanager/config');
  const environment = await job(IDS.hostile, '/jobmanager/environment');
  await open.go(`/job/completed/${IDS.hostile}/cluster_configuration`);
  assert.equal(await rows('JobManager configuration').count(), cluster.length);
  assert.equal(await page.locator('details li').count(), environment.jvm.options.length + environment.classpath.length);
  const application = await json(server, `applications/${IDS.hostile}/jobmanager/config`);
  await open.go(`/application/completed/${IDS.hostile}/configuration`);
  assert.equal(await rows('JobManager configuration').count(), application.length);
});

test('rescales: counts, history with vertices, slots and states', async () => {
  const overview = await job(IDS.rescaled, '/rescales/overview');
  const history = await job(IDS.rescaled, '/rescales/history');
  await open.go(`/job/completed/${IDS.rescaled}/rescales`);
  const tiles = await page.locator('dl[aria-label="Rescale counts"] dd').allInnerTexts();
  assert.equal(Number(tiles[0]), Object.values(overview.rescalesCounts).reduce((a, b) => a + b));
  await open.go(`/job/completed/${IDS.rescaled}/rescales?view=history`);
  assert.equal(await rows('History of rescales').count(), history.length);
  await page.getByRole('button', { name: `Details of rescale ${history[0].rescaleUuid.slice(0, 8)}` }).click();
  await settle(page);
  const details = await job(IDS.rescaled, `/rescales/details/${history[0].rescaleUuid}`);
  assert.equal(await rows('Vertices of the rescale').count(), Object.keys(details.vertices).length);
  assert.equal(await rows('Slots of the rescale').count(), Object.keys(details.slots).length);
  assert.equal(await rows('States of the scheduler').count(), details.schedulerStates.length);
});

test('only tabs with data are shown', async () => {
  const tabs = async (id) => {
    await open.go(`/job/completed/${id}/overview`);
    return (await page.getByRole('navigation', { name: 'Job', exact: true }).getByRole('link').allInnerTexts()).map((text) => text.replace(/\s*\d+$/, ''));
  };
  const always = ['Job Configuration', 'Cluster Configuration'];
  assert.deepEqual(await tabs(IDS.batch), ['Overview', 'TimeLine', ...always]);
  assert.deepEqual(await tabs(IDS.failing), ['Overview', 'Exceptions', 'TimeLine', 'Checkpoints', ...always]);
  assert.deepEqual(await tabs(IDS.rescaled), ['Overview', 'TimeLine', 'Checkpoints', 'Job Configuration', 'Rescales', 'Cluster Configuration']);
});
