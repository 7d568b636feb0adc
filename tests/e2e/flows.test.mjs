// The flows of users: find, open, read, copy and go back, with the keyboard and with addresses, while the data changes.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { FIXTURES, IDS, json, NARROW, settle } from './support.mjs';
import { begin, open, page, server, temporary, useNewPages, useServer, withServer } from './shared.mjs';

useServer();
useNewPages();

const names = () => page.locator('tbody tr[data-key]').evaluateAll((all) => all.map((row) => row.dataset.key));
const waitForRows = (count) => page.waitForFunction((wanted) => document.querySelectorAll('tbody tr[data-key]').length === wanted, count);
const waitForNames = (keys) => page.waitForFunction((wanted) => [...document.querySelectorAll('tbody tr[data-key]')].map((row) => row.dataset.key).join() === wanted, keys.join());
/** The ids of a list in the answer of the server. */
const answered = async (path) => (await json(server, `api/v1/${path}`)).items.map(({ id }) => id);
const hash = () => page.evaluate(() => window.location.hash);

test('with the keyboard alone: search, open, the exception, copy it, and back with the filter kept', async () => {
  await begin('/application/completed', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.keyboard.press('/');
  await page.keyboard.type('always');
  await waitForRows(1);
  assert.match(await hash(), /name=always/);
  await page.keyboard.press('ArrowDown');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /always failing/);
  await page.keyboard.press('Enter');
  await settle(page);
  await page.getByRole('heading', { level: 1, name: /always failing/ }).waitFor();
  assert.equal(await page.getByRole('region', { name: 'Root cause' }).getByText('nested cause: disk').count() > 0, true, 'the cause comes first');
  await tabTo(/^Exceptions/);
  await page.keyboard.press('Enter');
  await settle(page);
  await tabTo(/^Copy/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Copied/ }).first().waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^org\.apache\.flink[\s\S]*Caused by: /);
  // A headless browser has no Back key: Alt and the left arrow belong to the window around the page.
  await page.goBack();
  await page.goBack();
  await settle(page);
  assert.match(await hash(), /name=always/);
  assert.equal((await names()).length, 1);
  assert.equal(await page.getByRole('searchbox').inputValue(), 'always');
});

/** Presses Tab until an element with this name has the focus. */
async function tabTo(name) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const label = await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim());
    if (name.test(label)) return;
  }
  assert.fail(`${name} cannot be reached with Tab`);
}

test('the link back from an application leads to the filtered list', async () => {
  await begin('/application/completed?status=FAILED&sort=name');
  const failed = await names();
  await page.locator('tbody tr[data-key] a').first().click();
  await settle(page);
  await page.getByRole('link', { name: 'Completed Applications' }).click();
  await settle(page);
  assert.match(await hash(), /status=FAILED/);
  assert.deepEqual(await names(), failed);
});

test('an address shows the same list to another user', async () => {
  await begin('/application/completed');
  await page.getByRole('button', { name: /^failed/i }).click();
  await page.getByRole('button', { name: 'Application Name' }).click();
  const shown = await answered('applications?status=FAILED&sort=name');
  await waitForNames(shown);
  const address = await hash();
  await open.go('/server');
  await open.go(address.slice(1));
  assert.deepEqual(await names(), shown);
  assert.equal(await page.getByRole('columnheader', { name: 'Application Name' }).getAttribute('aria-sort'), 'ascending');
});

test('each column sorts both ways, on the server', async () => {
  await begin('/application/completed', { viewport: { width: 1920, height: 900 } });
  for (const [column, key, first] of [
    ['Application Name', 'name', 'ascending'],
    ['Start Time', 'start', 'descending'],
    ['Duration', 'duration', 'descending'],
    ['Status', 'status', 'ascending'],
    ['End Time', 'end', 'descending'],
  ]) {
    const head = page.getByRole('columnheader', { name: column });
    for (const direction of [first, first === 'ascending' ? 'descending' : 'ascending']) {
      await head.getByRole('button').click();
      await waitForNames(await answered(`applications?sort=${direction === 'descending' ? '-' : ''}${key}`));
      assert.equal(await head.getAttribute('aria-sort'), direction);
    }
  }
});

test('the last 24 hours and other ranges filter by end time', async () => {
  await begin('/application/completed');
  const all = (await names()).length;
  await page.getByRole('button', { name: 'Ended at any time' }).click();
  await page.getByRole('button', { name: 'Last 24 h' }).click();
  await settle(page);
  assert.equal((await names()).length, all);
  await open.go('/application/completed?within=1h');
  // The newest archive ended one hour before the time of the tests, the others earlier.
  assert.equal((await names()).length, 1);
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await waitForRows(all);
});

test('a list without matches says so and offers to clear the filter', async () => {
  await begin('/application/completed');
  const all = (await names()).length;
  await open.go('/application/completed?name=nothing+is+called+so');
  await page.getByText('No application matches this filter').waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await waitForRows(all);
});

test('the chosen colours remain after a reload, from the first paint', async () => {
  await begin('/application/completed', { theme: 'light' });
  await page.getByRole('button', { name: 'Colours: Dark' }).click();
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  assert.equal(await scheme(), 'dark');
  // The script in the head runs before the body exists.
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.body) return;
      window.themeAtFirst = document.documentElement.dataset.theme;
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.reload();
  await settle(page);
  assert.equal(await page.evaluate(() => window.themeAtFirst), 'dark');
  assert.equal(await scheme(), 'dark');
});

test('times are in the zone of the browser or in UTC', async () => {
  await begin(`/job/completed/${IDS.failing}/overview`, { timezoneId: 'America/New_York' });
  const start = () => page.locator('header time').first().innerText();
  assert.equal(await start(), '2026-11-22 13:56:35.404');
  await page.getByRole('button', { name: 'UTC', exact: true }).click();
  assert.equal(await start(), '2026-11-22 18:56:35.404');
  assert.match(await page.locator('header time').first().getAttribute('title'), /^2026-11-22 18:56:35\.404 UTC, /);
});

test('the vertex drawer opens, closes with Escape, and returns the focus', async () => {
  await begin(`/job/completed/${IDS.batch}/overview`);
  const link = page.getByRole('table', { name: 'Vertices of the job' }).getByRole('link').first();
  await link.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'vertex-name');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement.closest('tr[data-key]') !== null);
});

test('the Up and Down keys move through the rows', async () => {
  await begin('/job/completed');
  await page.locator('tbody tr[data-key] a').first().focus();
  for (let presses = 0; presses < 3; presses += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr').dataset.index), '2');
});

test('a click beside the name opens a row, a text selection does not', async () => {
  await begin('/job/completed');
  const row = page.locator('tbody tr[data-key]').first();
  await row.locator('td').nth(1).dblclick();
  assert.match(await hash(), /^#\/job\/completed/);
  await page.evaluate(() => window.getSelection().removeAllRanges());
  await open.go('/job/completed');
  await page.locator('tbody tr[data-key]').first().locator('td').nth(2).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForFunction(() => /\/overview$/.test(window.location.hash));
});

test('on a narrow screen the menu leads to all pages and closes', async () => {
  await begin('/application/completed', { viewport: NARROW });
  assert.equal(await page.getByRole('link', { name: /^Jobs/ }).isVisible(), false);
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('link', { name: /^Jobs/ }).click();
  await page.getByRole('heading', { name: 'Completed Jobs' }).waitFor();
  assert.equal(await page.getByRole('link', { name: /^Server/ }).isVisible(), false);
});

const VERTEX = '20ba6b65f97481d5570070de90e4e791';
const always = 'REST always failing';
/** The routes of Flink's dashboard for completed and running applications and jobs: page, tab, and tab of the vertex. */
const ROUTES = [
  ['/', 'Completed Applications'],
  ['/overview', 'Completed Applications'],
  ['/application/completed', 'Completed Applications'],
  ['/application/running', 'Completed Applications'],
  ['/job/completed', 'Completed Jobs'],
  ['/job/running', 'Completed Jobs'],
  ...['completed', 'running'].flatMap((state) => [
    [`/application/${state}/${IDS.mixedApplication}`, 'corpus.Jobs', 'Overview'],
    [`/application/${state}/${IDS.mixedApplication}/overview`, 'corpus.Jobs', 'Overview'],
    [`/application/${state}/${IDS.mixedApplication}/exceptions`, 'corpus.Jobs', 'Exceptions'],
    [`/job/${state}/${IDS.failing}`, always, 'Overview'],
    [`/job/${state}/${IDS.failing}/overview`, always, 'Overview'],
    [`/job/${state}/${IDS.failing}/exceptions`, always, 'Exceptions'],
    [`/job/${state}/${IDS.failing}/timeline`, always, 'TimeLine'],
    [`/job/${state}/${IDS.failing}/checkpoints`, always, 'Checkpoints'],
    [`/job/${state}/${IDS.failing}/configuration`, always, 'Job Configuration'],
    [`/job/${state}/${IDS.rescaled}/rescales`, 'adaptive rescaled', 'Rescales'],
    [`/job/${state}/${IDS.failing}/cluster_configuration`, always, 'Cluster Configuration'],
  ]),
  [`/job/completed/${IDS.failing}/overview/${VERTEX}`, always, 'Overview', 'Detail'],
  [`/job/completed/${IDS.failing}/overview/${VERTEX}/detail`, always, 'Overview', 'Detail'],
  [`/job/completed/${IDS.failing}/overview/${VERTEX}/subtasks`, always, 'Overview', 'SubTasks'],
  [`/job/completed/${IDS.failing}/overview/${VERTEX}/taskmanagers`, always, 'Overview', 'TaskManagers'],
  [`/job/completed/${IDS.failing}/overview/${VERTEX}/accumulators`, always, 'Overview', 'Accumulators'],
  // The routes before Flink 1.20, and addresses that users type.
  [`/job/${IDS.failing}/timeline`, always, 'TimeLine'],
  [`/jobs/${IDS.failing}`, always, 'Overview'],
];

test('on a narrow screen the current tab is visible', async () => {
  await begin('/server', { viewport: NARROW });
  for (const hash of [`/job/completed/${IDS.rescaled}/rescales?view=configuration`, `/job/completed/${IDS.failing}/cluster_configuration`, `/job/completed/${IDS.failing}/overview`]) {
    await open.turn(hash);
    for (const tab of await page.locator('nav.tabs [aria-current="page"]').all()) {
      const { x, width } = await tab.boundingBox();
      assert.ok(x >= 0 && x + width <= NARROW.width, `${hash}: ${await tab.innerText()} from ${x} to ${x + width}`);
    }
  }
});

test('every address of Flink’s dashboard opens the same page, tab included', async () => {
  await begin('/server');
  for (const [address, heading, tab, vertexTab] of ROUTES) {
    await open.turn(address);
    assert.equal((await page.getByRole('heading', { level: 1 }).innerText()).trim(), heading, address);
    const current = async (name) => (await page.getByRole('navigation', { name, exact: true }).locator('[aria-current="page"]').innerText()).replace(/\s*\d+$/, '');
    if (tab) assert.equal(await current(address.startsWith('/app') ? 'Application' : 'Job'), tab, address);
    if (vertexTab) assert.equal(await current('Vertex'), vertexTab, address);
    assert.equal(await page.getByRole('dialog').count(), vertexTab ? 1 : 0, address);
  }
});

test('an address of data that is never archived, of a running cluster, or of no page says so', async () => {
  await begin();
  const job = `/job/completed/${IDS.failing}`;
  await open.go('/server');
  for (const [address, words] of [
    [`${job}/dataskew`, 'Flink does not archive data skew'],
    [`${job}/overview/${VERTEX}/watermarks`, 'Flink does not archive watermarks'],
    [`${job}/overview/${VERTEX}/backpressure`, 'Flink archives no course of the back pressure'],
    [`${job}/overview/${VERTEX}/metrics`, 'Flink does not archive metrics'],
    [`${job}/overview/${VERTEX}/flamegraph`, 'Flink does not archive flame graphs'],
    [`${job}/nosuch`, 'There is no tab nosuch'],
    [`${job}/overview/${VERTEX}/nosuch`, 'There is no tab nosuch'],
    [`/application/completed/${IDS.mixedApplication}/nosuch`, 'There is no tab nosuch'],
    [`${job}/overview/${'0'.repeat(32)}`, 'This job has no such vertex'],
    ['/task-manager/some/logs', 'only in a running cluster'],
    ['/job-manager/metrics', 'only in a running cluster'],
    ['/submit', 'only in a running cluster'],
    ['/no/such/page', 'This page does not exist'],
  ]) {
    await open.turn(address);
    const said = page.getByText(words);
    assert.equal(await said.count(), 1, address);
    // The text must not be covered.
    const box = await said.boundingBox();
    assert.equal(await said.evaluate((element, [x, y]) => element.contains(document.elementFromPoint(x, y)), [box.x + 5, box.y + 5]), true, address);
  }
});

test('lists that render visible rows only are printed completely', async () => {
  await begin();
  const [{ id }] = (await json(server, `jobs/${IDS.wide}`)).vertices;
  await open.go(`/job/completed/${IDS.wide}/overview/${id}/subtasks`);
  const printed = async (region, rows) => {
    const drawn = page.getByRole('region', { name: region, exact: true }).locator(rows);
    assert.ok((await drawn.count()) < 256);
    await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
    assert.equal(await drawn.count(), 256);
    await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
    assert.ok((await drawn.count()) < 256);
  };
  await printed('Subtasks', 'tbody tr[data-key]');
  await open.go(`/job/completed/${IDS.wide}/timeline?vertex=${id}`);
  await printed('Timeline of the subtasks', 'li');
});

test('printing shows the content, without the menu and the buttons', async () => {
  await begin(`/job/completed/${IDS.failing}/exceptions`);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('complementary').isVisible(), false);
  assert.equal(await page.getByRole('button', { name: /^Copy/ }).first().isVisible(), false);
  assert.equal(await page.getByRole('heading', { level: 1 }).isVisible(), true);
  assert.equal(await page.locator('pre.trace').first().evaluate((element) => element.scrollHeight <= element.clientHeight + 1), true, 'the trace is not cut off');
});

describe('missing data', () => {
  test('a job without an archive is reported as not found, with a retry', async () => {
    await begin(`/job/completed/${'0'.repeat(31)}1/overview`);
    await page.getByText('This job was not found').waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    // The browser itself reports the 404.
    assert.ok(open.faults.length > 0 && open.faults.every((fault) => fault.includes('404')));
    open.faults.length = 0;
  });

  test('while the server is unreachable, the page keeps its data and says so, and a retry works', async () => {
    await begin('/application/completed', { clock: false });
    const shown = await names();
    await page.route('**/api/v1/**', (route) => route.abort());
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.getByText('The server cannot be reached').waitFor({ timeout: 20_000 });
    assert.deepEqual(await names(), shown);
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    open.faults.length = 0;
  });
});

test('a new archive appears by itself, and scroll position, selection and focus stay', async () => {
  const directory = temporary('live');
  const cluster = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
  const applications = join(directory, cluster, 'applications');
  mkdirSync(applications, { recursive: true });
  const copy = (id) => cpSync(join(FIXTURES[0], cluster, 'applications', id), join(applications, id), { recursive: true });
  copy(IDS.failing);
  copy(IDS.batch);
  await withServer({ directories: [directory], options: { 'historyserver.archive.fs.refresh-interval': '1 s', 'historyserver.web.refresh-interval': '2 s' } }, async () => {
    await begin('/application/completed', { clock: false });
    const link = page.locator(`tr[data-key="${IDS.batch}"] a`);
    await link.focus();
    await page.evaluate((id) => window.getSelection().selectAllChildren(document.querySelector(`tr[data-key="${id}"] td:nth-child(2)`)), IDS.failing);
    const marked = await page.evaluate(() => window.getSelection().toString());
    copy(IDS.mixedApplication);
    await page.locator(`tr[data-key="${IDS.mixedApplication}"]`).waitFor({ timeout: 20_000 });
    assert.equal(await link.evaluate((element) => element === document.activeElement), true);
    assert.equal(await page.evaluate(() => window.getSelection().toString()), marked);
    await page.getByRole('link', { name: /^Applications\s*3/ }).waitFor();
  });
});

test('a long list renders visible rows only, loads more on scrolling, and keeps its position when rows arrive', async () => {
  const directory = temporary('long');
  const cluster = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
  const applications = join(directory, cluster, 'applications');
  const archived = join(FIXTURES[0], cluster, 'applications');
  const summary = readFileSync(join(archived, IDS.mainThrew, 'application-summary'), 'utf8');
  const COUNT = 450;
  for (let at = 0; at < COUNT; at += 1) {
    const id = at.toString(16).padStart(32, '0');
    const file = join(applications, id, 'application-summary');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, summary.replaceAll(IDS.mainThrew, id));
    // A recently modified file is read twice, and the page shows the progress meanwhile.
    utimesSync(file, 1_700_000_000, 1_700_000_000);
  }
  await withServer({ directories: [directory], options: { 'historyserver.archive.fs.refresh-interval': '1 s', 'historyserver.web.refresh-interval': '2 s' } }, async () => {
    await begin('/application/completed', { clock: false });
    const rows = page.locator('tbody tr[data-key]');
    const requested = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('cursor=')).length);
    assert.ok((await rows.count()) < 60);
    assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), String(COUNT + 1));
    assert.equal(await requested(), 0, 'the next page is requested on scrolling');
    const scroller = page.getByRole('region', { name: 'Completed Applications', exact: true });
    for (const last of [199, 399, COUNT - 1]) {
      // The end moves when the next page arrives, so this scrolls until the row exists.
      await page.waitForFunction(
        ([element, index]) => {
          element.scrollTo(0, element.scrollHeight);
          return element.querySelector(`tr[data-index="${index}"]`) !== null;
        },
        [await scroller.elementHandle(), last],
      );
    }
    await scroller.evaluate((element) => element.scrollTo(0, 150 * 36 + 10));
    await page.locator('tr[data-index="152"] a').focus();
    const focused = () =>
      page.evaluate(() => {
        const row = document.activeElement.closest('tr');
        return row && { key: row.dataset.key, top: row.getBoundingClientRect().top };
      });
    const place = await focused();
    // It ended last, so it is inserted at the top.
    cpSync(join(archived, IDS.wide), join(applications, IDS.wide), { recursive: true });
    await page.waitForFunction((count) => document.querySelector('table').getAttribute('aria-rowcount') === String(count), COUNT + 2, { timeout: 20_000 });
    await page.waitForFunction((key) => document.querySelector(`tr[data-key="${key}"]`)?.dataset.index === '153', place.key);
    assert.deepEqual(await focused(), place);
  });
});

test('an empty list shows the reason: nothing archived yet, or a missing directory', async () => {
  const directory = temporary('empty');
  for (const [directories, words] of [
    [[directory], /No application has been archived yet/],
    [[join(directory, 'missing')], /The archive directory does not exist/],
  ]) {
    await withServer({ directories }, async () => {
      await begin('/application/completed');
      await page.getByRole('heading', { name: words }).waitFor();
      await page.getByText(directories[0]).first().waitFor();
    });
  }
});

test('the list of jobs is the home page if there are only jobs of older versions', async () => {
  await withServer({ directories: [FIXTURES[2]] }, async () => {
    await begin('/');
    await page.getByRole('heading', { name: 'Completed Jobs' }).waitFor();
    await open.go('/application/completed');
    await page.getByRole('link', { name: /completed jobs$/ }).waitFor();
  });
});
