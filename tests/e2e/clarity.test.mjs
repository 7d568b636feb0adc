// What the pages say can be read and understood: nothing is covered, said twice or contradicted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DESKTOP, IDS, json, NARROW, settle } from './support.mjs';
import { begin, open, page, server, useNewPages, useServer } from './shared.mjs';

useServer();
useNewPages();

test('the button of a stack trace covers no line of it, wide and narrow', async () => {
  for (const viewport of [DESKTOP, NARROW]) {
    await begin(`/job/completed/${IDS.failing}/exceptions`, { viewport });
    const button = await page.getByRole('button', { name: /^All \d+ lines$/ }).first().boundingBox();
    const trace = await page.getByRole('region', { name: /^Stack trace/ }).first().boundingBox();
    assert.ok(button.y + button.height <= trace.y, 'the button is above the trace');
    if (viewport === DESKTOP) await open.close();
  }
});

test('the address of the back pressure in Flink’s dashboard leads to the accumulated times, and says what is archived', async () => {
  const { vertices } = await json(server, `jobs/${IDS.streaming}`);
  await begin(`/job/completed/${IDS.streaming}/overview/${vertices[0].id}/backpressure`);
  await page.getByText('only how long the subtasks of a vertex were busy, backpressured and idle in all').waitFor();
  assert.equal(await page.getByText('Flink does not archive back pressure').count(), 0);
});

test('the configuration of checkpoints shows each time once', async () => {
  await begin(`/job/completed/${IDS.streaming}/checkpoints?view=configuration`);
  const words = await page.getByRole('table', { name: 'Checkpoint configuration' }).innerText();
  assert.match(words, /Timeout\s+10m \(600,000 ms\)/);
  assert.doesNotMatch(words, / · /);
});

test('rescales of a job do not count as restarts', async () => {
  await begin(`/job/completed/${IDS.rescaled}/overview`);
  assert.equal(await page.locator('.fact', { hasText: 'Restarts' }).locator('dd').innerText(), '0');
});

test('a run that recovered from its failures does not show one as the reason of its end', async () => {
  await begin();
  await page.route('**/api/v1/jobs/history?*', async (route) => {
    const answer = await (await route.fetch()).json();
    const [run] = answer.items;
    const failed = { ...run, root_exception_class: null, root_cause_class: 'java.io.IOException' };
    await route.fulfill({ json: { ...answer, items: [failed, { ...failed, id: 'f'.repeat(32), status: 'FINISHED' }] } });
  });
  await open.go('/runs/jobs?name=REST+always+failing');
  const rows = page.getByRole('table', { name: 'Runs' }).locator('tbody tr[data-key]');
  assert.equal(await rows.nth(0).locator('a.failure').innerText(), 'IOException');
  assert.equal(await rows.nth(1).locator('a.failure').innerText(), 'recovered');
  assert.equal(await rows.nth(1).locator('a.failure').getAttribute('title'), 'It recovered from java.io.IOException');
});

test('the server page says when work is due that waits for the next round, and which directory failed', async () => {
  await begin();
  const [url, reason] = ['file:///archives/missing', 'No such file or directory.'];
  await page.route('**/api/v1/status', async (route) => {
    const status = await (await route.fetch()).json();
    const now = await page.evaluate(() => Date.now());
    const directory = { ...status.refresh.directories[0], url, state: 'missing', reason, next_audit: now - 60_000 };
    await route.fulfill({ json: { ...status, now, refresh: { ...status.refresh, running_since: null, next: now + 4000, directories: [directory] } } });
  });
  await open.go('/server');
  const next = page.locator('.fact', { has: page.locator('dt', { hasText: /^Next$/ }) }).first();
  assert.match(await next.innerText(), /in a few seconds/);
  assert.match(await page.getByRole('table', { name: 'Archive directories' }).innerText(), /with the next refresh/);
  assert.equal(await page.locator('p.reason', { hasText: reason }).innerText(), `${url}\n${reason}`);
});

test('the link of a log that is not configured is requested once for all task managers of a page', async () => {
  await begin();
  let asked = 0;
  await page.route('**/log-url', (route) => {
    asked += 1;
    return route.fulfill({ status: 404, json: { errors: ['not configured'] } });
  });
  const { vertices } = await json(server, `jobs/${IDS.wide}`);
  await open.go(`/job/completed/${IDS.wide}/overview/${vertices[0].id}/subtasks`);
  await settle(page);
  // One for the JobManager, in the head of the page, and one for all 256 subtasks.
  assert.equal(asked, 2);
  open.faults.splice(0);
});
