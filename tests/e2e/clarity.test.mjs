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

test('a page that lost its server says so, and shows no counts that look fresh', async () => {
  await begin('/server');
  const live = page.getByRole('button', { name: 'Live' });
  await live.waitFor();
  await page.route('**/api/v1/status', (route) => route.abort());
  await open.go('/application/completed');
  await page.getByRole('button', { name: 'Not connected' }).waitFor();
  assert.equal(await page.getByRole('navigation', { name: 'Main' }).locator('.count').count(), 0);
  await page.unroute('**/api/v1/status');
  open.faults.splice(0);
});

test('the counts of a filter are not zero before the server answered', async () => {
  await begin();
  let answer;
  const asked = new Promise((resolve) => void page.route('**/applications/facets?*', (route) => {
    answer = () => route.continue();
    resolve();
  }));
  await page.goto(`${server.url}#/application/completed`);
  await asked;
  const failed = page.getByRole('button', { name: 'failed' });
  assert.equal((await failed.innerText()).trim(), 'Failed');
  await answer();
  await page.getByRole('button', { name: /^failed\s+[1-9]/i }).waitFor();
});

test('a filter moves no other control and removes none', async () => {
  for (const viewport of [DESKTOP, { width: 1920, height: 1000 }]) {
    await begin('/job/completed', { viewport });
    await page.getByRole('group', { name: 'Saved views' }).waitFor({ state: 'attached' });
    const places = () => page.locator('[role="search"] select, [role="search"] .range > button, .list').evaluateAll((all) => all.map((one) => [one.getAttribute('aria-label') ?? one.className, Math.round(one.getBoundingClientRect().top)].join()));
    const before = await places();
    assert.ok(before.length >= 4, before.join(' '));
    await page.getByRole('combobox', { name: 'Cluster' }).selectOption({ index: 1 });
    await settle(page);
    assert.deepEqual(await places(), before);
    await page.getByRole('button', { name: 'Clear', exact: true }).waitFor();
    if (viewport === DESKTOP) await open.close();
  }
});

test('the focus goes to the page that Enter opened, and with Back to the row', async () => {
  await begin('/job/completed');
  const link = page.locator('tbody tr[data-key] a').nth(2);
  const row = await page.locator('tbody tr[data-key]').nth(2).getAttribute('data-key');
  await link.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await settle(page);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'MAIN');
  await page.goBack();
  await settle(page);
  assert.equal(await page.evaluate(() => document.activeElement.closest('[data-key]')?.dataset.key), row);
});

test('the tables of vertices, checkpoints and runs fit a window of 1440 pixels, and a wider table shows that it goes on', async () => {
  await begin(null, { viewport: { width: 1440, height: 900 } });
  for (const [hash, label] of [
    [`/job/completed/${IDS.streaming}/overview`, 'Vertices of the job'],
    [`/job/completed/${IDS.savepoint}/checkpoints?view=history`, 'History of checkpoints'],
    ['/runs/jobs?name=REST+always+failing', 'Runs'],
    ['/application/completed', 'Completed Applications'],
  ]) {
    await open.go(hash);
    const scroller = page.getByRole('region', { name: label });
    const { all, seen, cut } = await scroller.evaluate((element) => ({
      all: element.scrollWidth,
      seen: element.clientWidth,
      cut: [...element.querySelectorAll('td time')].filter((time) => time.getBoundingClientRect().right > time.closest('td').getBoundingClientRect().right).length,
    }));
    assert.ok(all <= seen, `${label}: ${all} of ${seen} pixels`);
    assert.equal(cut, 0, `${label}: times are cut`);
  }
  await page.setViewportSize({ width: 900, height: 900 });
  await open.go(`/job/completed/${IDS.streaming}/overview`);
  await page.locator('.scroller.wide[aria-label="Vertices of the job"]').waitFor();
});

test('a search in the exceptions opens the failure of the hit, counts the hits and goes from one to the next', async () => {
  await begin(`/job/completed/${IDS.failing}/exceptions?search=kaboom`);
  const entries = page.locator('main .stack > details');
  const shown = page.locator('mark.current');
  await shown.waitFor();
  assert.equal(await shown.count(), 1);
  const hits = await page.locator('mark').count();
  await page.getByText(`hit 1 of ${hits}`).waitFor();
  assert.ok((await entries.count()) > 1);
  assert.equal(await page.locator('main .stack > details[open]').count(), 1, 'only the failure of the hit is open');
  await page.getByRole('searchbox').focus();
  await page.keyboard.press('Enter');
  await page.getByText(`hit 2 of ${hits}`).waitFor();
  await page.getByRole('button', { name: 'Previous hit' }).click();
  await page.getByRole('button', { name: 'Previous hit' }).click();
  await page.getByText(`hit ${hits} of ${hits}`).waitFor();
  const box = await shown.boundingBox();
  assert.ok(box !== null && box.y > 0 && box.y < DESKTOP.height, 'the hit is in sight');
});
