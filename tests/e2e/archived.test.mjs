// Every tab with an archive that has data for it: each figure is the archived one, to the millisecond and to the byte.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FIXTURES, IDS, json, PAGES } from './support.mjs';
import { begin, open, page, server, temporary, useOnePage, useServer, withServer } from './shared.mjs';

useServer();
useOnePage();

const job = (id, rest = '') => json(server, `jobs/${id}${rest}`);

/** The values of cells, facts or tiles: milliseconds, bytes and counts as exact numbers, everything else as text. */
function exactly(elements) {
  return elements.map((element) => {
    const time = element.querySelector('time');
    if (time) return Date.parse(time.dateTime);
    const text = element.innerText.trim();
    const title = element.querySelector('.nowrap[title]')?.title ?? '';
    const exact = /\(([\d,]+) ms\)/.exec(title)?.[1] ?? /^([\d,.]+) bytes?\b/.exec(title)?.[1] ?? (/^-?[\d,]+(?:\.\d+)?$/.test(text) ? text : null);
    return exact === null ? (text === '–' ? null : text) : Math.round(Number(exact.replaceAll(',', '')));
  });
}

/** The rows of a table, each with its cells. */
async function table(label) {
  const rows = page.getByRole('table', { name: label, exact: true }).locator('tbody > tr:not(.detail, .space)');
  return Promise.all((await rows.all()).map((row) => row.locator('> th, > td').evaluateAll(exactly)));
}

/** The facts of a list of terms, by term. */
async function facts(list) {
  const terms = await list.locator('dt').allInnerTexts();
  const values = await list.locator('dd').evaluateAll(exactly);
  return Object.fromEntries(terms.map((term, index) => [term.trim(), values[index]]));
}

/** The shown value of Flink's figure: unknown values are null. */
const figure = (value) => (typeof value === 'number' && value >= 0 && value < 2 ** 63 ? Math.round(value) : null);
const io = (metrics) => ['read-bytes', 'read-records', 'write-bytes', 'write-records'].map((key) => figure(metrics[key]));
/** Lists show times in seconds. The attribute `datetime` has the milliseconds. */
const time = (value) => (value > 0 ? value : null);

test('the lists show the overviews of the archives', async () => {
  await page.setViewportSize({ width: 1920, height: 900 });
  for (const [hash, path, member, label] of [
    ['/application/completed', 'applications/overview', 'applications', 'Completed Applications'],
    ['/job/completed', 'jobs/overview', 'jobs', 'Completed Jobs'],
  ]) {
    const all = (await json(server, path))[member];
    await open.turn(hash);
    const heads = (await page.getByRole('table', { name: label, exact: true }).getByRole('columnheader').allInnerTexts()).map((text) => text.trim());
    const column = (name) => heads.indexOf(name);
    const rows = await table(label);
    assert.equal(rows.length, all.length);
    const keys = await page.locator('tbody tr[data-key]').evaluateAll((found) => found.map((row) => row.dataset.key));
    for (const [index, row] of rows.entries()) {
      const one = all.find(({ id, jid }) => (id ?? jid) === keys[index]);
      assert.deepEqual(
        [row[column('Start Time')], row[column('Duration')], row[column('End Time')], row[column('Status')]],
        [time(one['start-time']), one.duration, time(one['end-time']), one.status ?? one.state],
        one.name,
      );
    }
  }
});

test('the head of a job and of an application has its facts', async () => {
  for (const id of [IDS.batch, IDS.legacyFailing, IDS.rescaled]) {
    const found = await job(id);
    await open.turn(`/job/completed/${id}/overview`);
    const shown = await facts(page.locator('header.head'));
    assert.deepEqual([shown['Start Time'], shown['Duration'], shown['End Time']], [found['start-time'], found.duration, found['end-time']]);
    assert.match(String(shown['Job State']), new RegExp(`^${found.state}`));
    assert.equal(shown['Job Type'], found['job-type']);
    assert.equal(shown['Scheduler'], found.schedulerType);
    const states = await page.getByRole('list', { name: 'States', exact: true }).locator('time').evaluateAll((times) => times.map((one) => Date.parse(one.dateTime)));
    assert.deepEqual(states, Object.values(found.timestamps).filter((at) => at > 0).sort((a, b) => a - b));
  }
  const application = await json(server, `applications/${IDS.mixedApplication}`);
  await open.turn(`/application/completed/${IDS.mixedApplication}/overview`);
  const shown = await facts(page.locator('header.head'));
  assert.deepEqual([shown['Start Time'], shown['Duration'], shown['End Time']], [application['start-time'], application.duration, application['end-time']]);
});

test('the vertex table has every figure of every vertex', async () => {
  for (const id of [IDS.batch, IDS.failing, IDS.wide, IDS.pending, IDS.legacyStreaming]) {
    const { vertices } = await job(id);
    await open.turn(`/job/completed/${id}/overview?columns=figures`);
    assert.deepEqual(
      (await table('Vertices of the job')).map((row) => row.slice(0, 10)),
      vertices.map((one) => [one.name, one.status, ...io(one.metrics), one.parallelism, time(one['start-time']) ?? 'never started', figure(one.duration), time(one['end-time'])]),
    );
  }
});

test('the drawer has details, subtasks and task managers with their aggregates', async () => {
  for (const id of [IDS.failing, IDS.streaming]) {
    const { vertices } = await job(id);
    for (const vertex of vertices) {
      const details = await job(id, `/vertices/${vertex.id}`);
      const at = `/job/completed/${id}/overview/${vertex.id}`;
      await open.turn(`${at}/detail`);
      const shown = await facts(page.getByRole('dialog'));
      assert.deepEqual([shown['Start Time'], shown['End Time'], shown['Duration']], [vertex['start-time'], vertex['end-time'], vertex.duration]);
      await aggregates('Figures over all subtasks', details.aggregated);

      await open.turn(`${at}/subtasks`);
      const tried = details.subtasks.some(({ attempt }) => attempt > 0);
      const rows = await table('Subtasks');
      assert.deepEqual(
        rows.map((row) => row.slice(0, -1)),
        details.subtasks.map((one) => [one.subtask, ...(tried ? [one.attempt + 1] : []), one.status, ...io(one.metrics), one.duration, time(one['start-time']), time(one['end-time']), one.endpoint]),
      );

      const { taskmanagers } = await job(id, `/vertices/${vertex.id}/taskmanagers`);
      await open.turn(`${at}/taskmanagers`);
      const managers = await table('Task managers');
      assert.deepEqual(
        managers.map((row) => [row[0], row[1], row[2], ...row.slice(4, 11)]),
        taskmanagers.map((one) => [one.endpoint, one['taskmanager-id'], one.status, ...io(one.metrics), time(one['start-time']), one.duration, time(one['end-time'])]),
      );
      await page.getByRole('dialog').getByRole('button', { name: taskmanagers[0].endpoint }).first().click();
      await aggregates('Figures over all subtasks', taskmanagers[0].aggregated);
    }
  }
});

/** Checks that the table of aggregates has a row with all figures for each archived one. */
async function aggregates(label, { metrics, 'status-duration': states }) {
  const wanted = [
    ...['read-bytes', 'read-records', 'write-bytes', 'write-records', 'accumulated-busy-time', 'accumulated-backpressured-time', 'accumulated-idle-time'].map((key) => metrics[key]),
    ...['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING'].map((key) => states[key]),
  ].filter(Boolean);
  const shown = (await table(label)).map((row) => row.slice(1));
  assert.deepEqual(shown, wanted.map((one) => ['min', 'p25', 'median', 'avg', 'p75', 'p95', 'max', 'sum'].map((key) => figure(one[key]))));
}

test('the summary of checkpoints, with its percentiles', async () => {
  const { summary, counts } = await job(IDS.savepoint, '/checkpoints');
  await open.turn(`/job/completed/${IDS.savepoint}/checkpoints?view=summary`);
  await page.getByRole('heading', { name: `Over ${counts.completed} completed checkpoints` }).waitFor();
  const columns = ['min', 'avg', 'max', 'p50', 'p90', 'p95', 'p99', 'p999'];
  assert.deepEqual(
    (await table('Summary of the checkpoints')).map((row) => row.slice(1)),
    ['end_to_end_duration', 'checkpointed_size', 'state_size', 'processed_data', 'persisted_data'].map((key) => columns.map((column) => figure(summary[key][column]))),
  );
});

test('the latest checkpoints: failed, completed, savepoint and restored', async () => {
  const { latest } = await job(IDS.savepoint, '/checkpoints');
  await open.turn(`/job/completed/${IDS.savepoint}/checkpoints`);
  const card = (heading) => facts(page.locator('section.panel', { has: page.getByRole('heading', { name: heading, exact: true }) }));
  const failed = await card('Latest failed checkpoint');
  assert.deepEqual([failed['ID'], failed['Failure time'], failed['Cause']], [latest.failed.id, latest.failed.failure_timestamp, latest.failed.failure_message]);
  for (const [heading, one] of [
    ['Latest completed checkpoint', latest.completed],
    ['Latest savepoint', latest.savepoint],
  ]) {
    const shown = await card(heading);
    assert.deepEqual(
      ['ID', 'Completion time', 'End to end duration', 'Checkpointed data size', 'Full checkpoint data size', 'Path'].map((term) => shown[term]),
      [one.id, one.latest_ack_timestamp, one.end_to_end_duration, one.checkpointed_size, one.state_size, one.external_path],
    );
  }
  assert.equal((await card('Latest savepoint'))['Type'], 'Savepoint on stop, canonical');
  const restored = await card('Latest restore');
  assert.deepEqual([restored['ID'], restored['Restore time'], restored['From'], restored['Path']], [latest.restored.id, latest.restored.restore_timestamp, 'Checkpoint', latest.restored.external_path]);
});

test('the history of checkpoints has all figures, including failed checkpoints, vertices and subtasks', async () => {
  for (const id of [IDS.savepoint, IDS.streaming, IDS.legacyStreaming, IDS.rescaled]) {
    const { history } = await job(id, '/checkpoints');
    await open.turn(`/job/completed/${id}/checkpoints?view=history`);
    assert.deepEqual(
      (await table('History of checkpoints')).map(([number, status, , acknowledged, trigger, latest, duration, written, full]) => [number, status, acknowledged, trigger, latest, duration, written, full]),
      [...history]
        .sort((a, b) => b.id - a.id)
        .map((one) => [one.id, one.status, `${one.num_acknowledged_subtasks} of ${one.num_subtasks}`, one.trigger_timestamp, time(one.latest_ack_timestamp) ?? 'none', figure(one.end_to_end_duration), one.checkpointed_size, one.state_size]),
    );
  }
  const { history } = await job(IDS.streaming, '/checkpoints');
  const failed = history.find(({ status }) => status === 'FAILED');
  const savepoint = history.find(({ is_savepoint: savepoint }) => savepoint);
  const { vertices } = await job(IDS.streaming);
  for (const { id, failure_message: message } of [failed, savepoint]) {
    await open.turn(`/job/completed/${IDS.streaming}/checkpoints?view=history&checkpoint=${id}`);
    if (message) await page.getByText(message, { exact: true }).waitFor();
    const { tasks } = await job(IDS.streaming, `/checkpoints/details/${id}`);
    const ordered = vertices.map(({ id: vertex }) => tasks[vertex]).filter(Boolean);
    assert.deepEqual(
      (await table(`Vertices of checkpoint ${id}`)).map(([, acknowledged, latest, duration, written, full]) => [acknowledged, latest, duration, written, full]),
      ordered.map((one) => [`${one.num_acknowledged_subtasks} of ${one.num_subtasks}`, time(one.latest_ack_timestamp) ?? 'none', figure(one.end_to_end_duration), one.checkpointed_size, one.state_size]),
    );
    await page.getByRole('table', { name: `Vertices of checkpoint ${id}` }).getByRole('button').first().click();
    const subtasks = page.getByRole('table', { name: 'Subtasks of the checkpoint', exact: true });
    await subtasks.waitFor();
    const answer = await job(IDS.streaming, `/checkpoints/details/${id}/subtasks/${vertices[0].id}`);
    assert.deepEqual(
      (await table('Subtasks of the checkpoint')).map(([index, , acknowledged, duration, written, full, sync, async]) => [index, acknowledged, duration, written, full, sync, async]),
      answer.subtasks.map((one) => [one.index, time(one.ack_timestamp) ?? 'not acknowledged', ...[one.end_to_end_duration, one.checkpointed_size, one.state_size, one.checkpoint?.sync, one.checkpoint?.async].map(figure)]),
    );
  }
});

test('the configuration of checkpoints explains special values', async () => {
  await open.turn(`/job/completed/${IDS.savepoint}/checkpoints?view=configuration`);
  const configuration = await job(IDS.savepoint, '/checkpoints/config');
  const shown = Object.fromEntries(await table('Checkpoint configuration'));
  assert.equal(configuration.interval, 1000);
  assert.equal(shown['Interval'], '1s (1,000 ms)');
  assert.equal(shown['Minimum pause between checkpoints'], 'none');
  assert.equal(shown['Persist checkpoints externally'], 'enabled, retained on cancellation');
  assert.equal(shown['State backend'], configuration.state_backend);
  assert.equal(shown['Checkpoint storage'], configuration.checkpoint_storage);
  assert.equal(shown['Tolerable failed checkpoints'], configuration.tolerable_failed_checkpoints);
});

test('rescales: history, details, summary and configuration', async () => {
  const at = `/job/completed/${IDS.rescaled}/rescales`;
  const history = await job(IDS.rescaled, '/rescales/history');
  await open.turn(`${at}?view=history`);
  const words = (text) => text?.toLowerCase().replaceAll('_', ' ') ?? null;
  assert.deepEqual(
    (await table('History of rescales')).map((row) => row.slice(0, 8)),
    [...history]
      .sort((a, b) => b.startTimestampInMillis - a.startTimestampInMillis)
      .map((one) => [
        one.rescaleUuid.slice(0, 8),
        one.rescaleAttemptId,
        words(one.triggerCause),
        one.terminalState,
        words(one.terminatedReason),
        one.startTimestampInMillis,
        one.endTimestampInMillis - one.startTimestampInMillis,
        one.endTimestampInMillis,
      ]),
  );
  const details = await job(IDS.rescaled, `/rescales/details/${history[0].rescaleUuid}`);
  await open.turn(`${at}?view=history&rescale=${history[0].rescaleUuid}`);
  assert.deepEqual(
    await table('Vertices of the rescale'),
    Object.values(details.vertices).map((one) => [one.jobVertexName, one.slotSharingGroupName, ...[one.preRescaleParallelism, one.postRescaleParallelism, one.desiredParallelism, one.sufficientParallelism].map(figure)]),
  );
  assert.deepEqual(
    (await table('States of the scheduler')).filter((row) => row.length > 1),
    details.schedulerStates.map((one) => [one.state, time(one.enterTimestampInMillis), time(one.leaveTimestampInMillis), figure(one.durationInMillis)]),
  );
  const summary = await job(IDS.rescaled, '/rescales/summary');
  await open.turn(`${at}?view=summary`);
  assert.deepEqual(
    (await table('Durations of the rescales')).map(([, ...row]) => row.slice(0, 3)),
    ['rescalesDurationStatsInMillis', 'completedRescalesDurationStatsInMillis', 'ignoredRescalesDurationStatsInMillis', 'failedRescalesDurationStatsInMillis'].map((key) => ['min', 'avg', 'max'].map((column) => figure(summary[key][column]))),
  );
  await open.turn(`${at}?view=configuration`);
  assert.equal((await table('Configuration of rescales')).length, Object.keys(await job(IDS.rescaled, '/rescales/config')).length);
});

/** Checks all data of all failures, including concurrent ones. */
async function assertFailures(entries, list = '.stack > .entry') {
  const shown = page.locator(list);
  assert.equal(await shown.count(), entries.length);
  for (const [index, entry] of entries.entries()) {
    const one = shown.nth(index);
    if (!(await one.evaluate((element) => element.open))) await one.locator('> summary').click();
    const body = one.locator('> .body');
    const whole = body.locator('> .box').getByRole('button', { name: /^All \d/ });
    if (await whole.count()) await whole.click();
    assert.equal((await body.locator('> .box pre').textContent()).trim(), entry.stacktrace.trim());
    assert.equal(Date.parse(await one.locator('> summary time').getAttribute('datetime')), entry.timestamp);
    const text = await body.locator('> .facts').innerText();
    for (const word of [entry.taskName, entry.endpoint, entry.taskManagerId]) if (word && word !== '(unassigned)' && word !== 'null') assert.ok(text.includes(word), word);
    const concurrent = entry.concurrentExceptions ?? [];
    assert.equal(await body.locator('> .concurrent > .entry').count(), concurrent.length);
    if (concurrent.length > 0) await assertFailures(concurrent, `${list}:nth-of-type(${index + 1}) > .body > .concurrent > .entry`);
  }
}

test('exceptions of jobs and applications, including a main method that threw', async () => {
  for (const hash of [`/job/completed/${IDS.failing}`, `/job/completed/${IDS.legacyFailing}`, `/job/completed/${IDS.streaming}`, `/application/completed/${IDS.mixedApplication}`, `/application/completed/${IDS.mainThrew}`]) {
    const { exceptionHistory } = await json(server, `${hash.slice(1).replace('/completed', '').replace(/^(job|application)/, '$1s')}/exceptions`);
    assert.ok(exceptionHistory.entries.length > 0);
    await open.turn(`${hash}/exceptions`);
    await assertFailures(exceptionHistory.entries);
  }
});

test('the exception of an archive that has only the root-exception of 1.x', async () => {
  const directory = temporary('root-exception');
  const archive = JSON.parse(readFileSync(join(FIXTURES[2], IDS.legacyFailing), 'utf8'));
  const entry = archive.archive.find(({ path }) => path.endsWith('/exceptions'));
  const { exceptionHistory, ...before } = JSON.parse(entry.json);
  assert.ok(exceptionHistory.entries.length > 0);
  entry.json = JSON.stringify(before);
  writeFileSync(join(directory, IDS.legacyFailing), JSON.stringify(archive));
  await withServer({ directories: [directory] }, async () => {
    await begin(`/job/completed/${IDS.legacyFailing}/exceptions`);
    const concurrent = before['all-exceptions'].map((one) => ({ stacktrace: one.exception, timestamp: one.timestamp, taskName: one.task, endpoint: one.endpoint, taskManagerId: one.taskManagerId }));
    assert.equal(concurrent.length, 1);
    await assertFailures([{ stacktrace: before['root-exception'], timestamp: before.timestamp, concurrentExceptions: concurrent }]);
  });
});

test('the timelines have all lanes of 256 subtasks with their durations', async () => {
  const { vertices } = await job(IDS.wide);
  await open.turn(`/job/completed/${IDS.wide}/timeline?vertex=${vertices[0].id}`);
  const { subtasks } = await job(IDS.wide, `/vertices/${vertices[0].id}/subtasktimes`);
  const lanes = page.getByRole('region', { name: 'Timeline of the subtasks' }).getByRole('listitem');
  assert.equal(subtasks.length, 256);
  assert.equal(await lanes.first().getAttribute('aria-setsize'), '256');
  assert.match(await lanes.first().textContent(), new RegExp(`FINISHED, ${subtasks[0].duration < 1000 ? `${subtasks[0].duration} ms` : '\\d'}`));
});

test('the configuration of a job and of its cluster', async () => {
  for (const id of [IDS.batch, IDS.rescaled, IDS.legacyStreaming]) {
    const { 'execution-config': execution } = await job(id, '/config');
    await open.turn(`/job/completed/${id}/configuration`);
    const shown = Object.fromEntries(await table('Execution configuration'));
    assert.equal(shown['Execution mode'], execution['execution-mode']);
    assert.equal(shown['Restart strategy'], execution['restart-strategy']);
    assert.equal(shown['Object reuse mode'], String(execution['object-reuse-mode']));
  }
  const cluster = await job(IDS.failing, '/jobmanager/config');
  const { jvm, classpath } = await job(IDS.failing, '/jobmanager/environment');
  await open.turn(`/job/completed/${IDS.failing}/cluster_configuration`);
  const shown = await page.getByRole('table', { name: 'JobManager configuration' }).locator('tbody tr').evaluateAll((rows) => rows.map((row) => [row.cells[0].textContent.trim(), row.cells[1].textContent.trim()]));
  const expected = cluster.map(({ key, value }) => [key, value.trim() || '(empty)']);
  const byKey = ([a], [b]) => (a < b ? -1 : 1);
  assert.deepEqual(shown.sort(byKey), expected.sort(byKey));
  assert.deepEqual(Object.fromEntries(await table('Java virtual machine')), { 'JVM version': jvm.version, Architecture: jvm.arch });
  assert.deepEqual(await page.locator('details li').evaluateAll((all) => all.map((one) => one.textContent)), [...jvm.options, ...classpath]);
});

test('every view has links to its documents, as JSON and as downloads', async () => {
  for (const { name, hash } of PAGES.filter((one) => /^\/(?:job|application)\/completed\/./.test(one.hash))) {
    await open.turn(hash);
    const scope = page.locator((await page.getByRole('dialog').count()) ? '[role="dialog"]' : 'main');
    const links = await scope.locator('.raw a').evaluateAll((all) => all.map((link) => [link.getAttribute('href'), link.getAttribute('download')]));
    const shown = links.filter(([, download]) => download === null).map(([href]) => href);
    const downloaded = links.filter(([, download]) => download !== null);
    assert.ok(shown.length > 0, `${name} has no link to what it shows`);
    assert.deepEqual(downloaded.map(([href]) => href), shown, name);
    assert.ok(downloaded.every(([, file]) => /^[\w.-]+\.json$/.test(file)), name);
    for (const href of new Set(shown)) {
      const answer = await fetch(server.url + href);
      assert.equal(answer.status, 200, `${name}: ${href}`);
      assert.match(answer.headers.get('content-type'), /^application\/json/);
      await answer.json();
    }
  }
});
