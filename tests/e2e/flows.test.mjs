// What people do: find, open, read, copy, come back. By keyboard, by address, over a restart of what is shown.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { FIXTURES, IDS, json, launch, NARROW, openPage, settle, startServer } from './support.mjs';

let server;
let browser;
let open;
let page;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(async () => {
  assert.deepEqual(open.faults, []);
  await open.close();
});

async function begin(options) {
  open = await openPage(browser, server, options);
  page = open.page;
  return open;
}

const names = () => page.locator('tbody tr[data-key]').evaluateAll((all) => all.map((row) => row.dataset.key));
const waitForRows = (count) => page.waitForFunction((wanted) => document.querySelectorAll('tbody tr[data-key]').length === wanted, count);
const waitForNames = (keys) => page.waitForFunction((wanted) => [...document.querySelectorAll('tbody tr[data-key]')].map((row) => row.dataset.key).join() === wanted, keys.join());
/** Ids of a list as the server answers it. */
const answered = async (path) => (await json(server, `api/v1/${path}`)).items.map(({ id }) => id);
const hash = () => page.evaluate(() => window.location.hash);

test('with the keyboard alone: search, open, the exception, copy it, and back with the filter kept', async () => {
  await begin({ permissions: ['clipboard-read', 'clipboard-write'] });
  await open.go('/application/completed');
  await page.keyboard.press('/');
  await page.keyboard.type('always');
  await waitForRows(1);
  assert.match(await hash(), /name=always/);
  await page.keyboard.press('ArrowDown');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /always failing/);
  await page.keyboard.press('Enter');
  await settle(page);
  await page.getByRole('heading', { level: 1, name: /always failing/ }).waitFor();
  assert.equal(await page.getByRole('region', { name: 'Root cause' }).getByText('nested cause: disk').count() > 0, true, 'what went wrong is said first');
  await tabTo(/^Exceptions/);
  await page.keyboard.press('Enter');
  await settle(page);
  await tabTo(/^Copy/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Copied/ }).first().waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^org\.apache\.flink[\s\S]*Caused by: /);
  // Alt and the left arrow belong to the window around the page, which a headless browser lacks.
  await page.goBack();
  await page.goBack();
  await settle(page);
  assert.match(await hash(), /name=always/);
  assert.equal((await names()).length, 1);
  assert.equal(await page.getByRole('searchbox').inputValue(), 'always');
});

/** Presses Tab until something with this name has the focus, which must be within reach. */
async function tabTo(name) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const label = await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim());
    if (name.test(label)) return;
  }
  assert.fail(`${name} cannot be reached with Tab`);
}

test('the link back from an application leads to the list as it was filtered', async () => {
  await begin();
  await open.go('/application/completed?status=FAILED&sort=name');
  const failed = await names();
  await page.locator('tbody tr[data-key] a').first().click();
  await settle(page);
  await page.getByRole('link', { name: 'Completed Applications' }).click();
  await settle(page);
  assert.match(await hash(), /status=FAILED/);
  assert.deepEqual(await names(), failed);
});

test('an address shows a colleague the same list', async () => {
  await begin();
  await open.go('/application/completed');
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
  await begin();
  await open.go('/application/completed');
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

test('the last 24 hours and other windows look at the end', async () => {
  await begin();
  await open.go('/application/completed');
  const all = (await names()).length;
  await page.getByRole('button', { name: 'Last 24 h' }).click();
  await settle(page);
  assert.equal((await names()).length, all);
  await open.go('/application/completed?within=1h');
  // The youngest of the archives ended an hour before the time of the tests, the others earlier.
  assert.equal((await names()).length, 1);
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await waitForRows(all);
});

test('a list that a filter leaves empty says so and offers the way out', async () => {
  await begin();
  await open.go('/application/completed');
  const all = (await names()).length;
  await open.go('/application/completed?name=nothing+is+called+so');
  await page.getByText('No application fits this filter').waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await waitForRows(all);
});

test('the chosen colours hold over a reload, from the first paint', async () => {
  await begin({ theme: 'light' });
  await open.go('/application/completed');
  await page.getByRole('button', { name: 'Colours: Dark' }).click();
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  assert.equal(await scheme(), 'dark');
  // The script in the head has run before there is a body to paint.
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
  await begin({ timezoneId: 'America/New_York' });
  await open.go(`/job/completed/${IDS.failing}/overview`);
  const start = () => page.locator('header time').first().innerText();
  assert.equal(await start(), '2026-11-22 13:56:35.404');
  await page.getByRole('button', { name: 'UTC', exact: true }).click();
  assert.equal(await start(), '2026-11-22 18:56:35.404');
  assert.match(await page.locator('header time').first().getAttribute('title'), /^2026-11-22 18:56:35\.404 UTC, /);
});

test('the vertex drawer opens, closes with Escape, and gives the focus back', async () => {
  await begin();
  await open.go(`/job/completed/${IDS.batch}/overview`);
  const link = page.getByRole('table', { name: 'Vertices of the job' }).getByRole('link').first();
  await link.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'vertex-name');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement.closest('tr[data-key]') !== null);
});

test('Up and Down go through the rows', async () => {
  await begin();
  await open.go('/job/completed');
  await page.locator('tbody tr[data-key] a').first().focus();
  for (let presses = 0; presses < 3; presses += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr').dataset.index), '2');
});

test('a click beside the name opens a row, marking text does not', async () => {
  await begin();
  await open.go('/job/completed');
  const row = page.locator('tbody tr[data-key]').first();
  await row.locator('td').nth(1).dblclick();
  assert.match(await hash(), /^#\/job\/completed/);
  await page.evaluate(() => window.getSelection().removeAllRanges());
  await open.go('/job/completed');
  await page.locator('tbody tr[data-key]').first().locator('td').nth(2).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForFunction(() => /\/overview$/.test(window.location.hash));
});

test('on a narrow screen the menu leads everywhere and closes behind', async () => {
  await begin({ viewport: NARROW });
  await open.go('/application/completed');
  assert.equal(await page.getByRole('link', { name: /^Jobs/ }).isVisible(), false);
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('link', { name: /^Jobs/ }).click();
  await page.getByRole('heading', { name: 'Completed Jobs' }).waitFor();
  assert.equal(await page.getByRole('link', { name: /^Server/ }).isVisible(), false);
});

const VERTEX = '20ba6b65f97481d5570070de90e4e791';
const always = 'REST always failing';
/** Every route of Flink's dashboard for what has ended, and for what ran when the link was made: page, tab, and tab of the vertex. */
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
  // As they were before Flink 1.20, and as they are typed.
  [`/job/${IDS.failing}/timeline`, always, 'TimeLine'],
  [`/jobs/${IDS.failing}`, always, 'Overview'],
];

test('on a narrow screen the current tab is in sight', async () => {
  await begin({ viewport: NARROW });
  await open.go('/server');
  for (const hash of [`/job/completed/${IDS.rescaled}/rescales?view=configuration`, `/job/completed/${IDS.failing}/cluster_configuration`, `/job/completed/${IDS.failing}/overview`]) {
    await open.turn(hash);
    for (const tab of await page.locator('nav.tabs [aria-current="page"]').all()) {
      const { x, width } = await tab.boundingBox();
      assert.ok(x >= 0 && x + width <= NARROW.width, `${hash}: ${await tab.innerText()} from ${x} to ${x + width}`);
    }
  }
});

test('every address of Flink’s dashboard opens the same page, tab included', async () => {
  await begin();
  await open.go('/server');
  for (const [address, heading, tab, vertexTab] of ROUTES) {
    await open.turn(address);
    assert.equal((await page.getByRole('heading', { level: 1 }).innerText()).trim(), heading, address);
    const current = async (name) => (await page.getByRole('navigation', { name, exact: true }).locator('[aria-current="page"]').innerText()).replace(/\s*\d+$/, '');
    if (tab) assert.equal(await current(address.startsWith('/app') ? 'Application' : 'Job'), tab, address);
    if (vertexTab) assert.equal(await current('Vertex'), vertexTab, address);
    assert.equal(await page.getByRole('dialog').count(), vertexTab ? 1 : 0, address);
  }
});

test('an address of what is never archived, of a running cluster, or of nothing says so', async () => {
  await begin();
  const job = `/job/completed/${IDS.failing}`;
  await open.go('/server');
  for (const [address, words] of [
    [`${job}/dataskew`, 'Flink does not archive data skew'],
    [`${job}/overview/${VERTEX}/watermarks`, 'Flink does not archive watermarks'],
    [`${job}/overview/${VERTEX}/backpressure`, 'Flink does not archive back pressure'],
    [`${job}/overview/${VERTEX}/metrics`, 'Flink does not archive metrics'],
    [`${job}/overview/${VERTEX}/flamegraph`, 'Flink does not archive flame graphs'],
    [`${job}/nosuch`, 'There is no tab nosuch'],
    [`${job}/overview/${VERTEX}/nosuch`, 'There is no tab nosuch'],
    [`/application/completed/${IDS.mixedApplication}/nosuch`, 'There is no tab nosuch'],
    [`${job}/overview/${'0'.repeat(32)}`, 'This job has no such vertex'],
    ['/task-manager/some/logs', 'only of a running cluster'],
    ['/job-manager/metrics', 'only of a running cluster'],
    ['/submit', 'only of a running cluster'],
    ['/no/such/page', 'There is no such page'],
  ]) {
    await open.turn(address);
    const said = page.getByText(words);
    assert.equal(await said.count(), 1, address);
    // What covers the page holds what is to be read.
    const box = await said.boundingBox();
    assert.equal(await said.evaluate((element, [x, y]) => element.contains(document.elementFromPoint(x, y)), [box.x + 5, box.y + 5]), true, address);
  }
});

test('what is only drawn in sight is printed whole', async () => {
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
  await begin();
  await open.go(`/job/completed/${IDS.failing}/exceptions`);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('complementary').isVisible(), false);
  assert.equal(await page.getByRole('button', { name: /^Copy/ }).first().isVisible(), false);
  assert.equal(await page.getByRole('heading', { level: 1 }).isVisible(), true);
  assert.equal(await page.locator('pre.trace').first().evaluate((element) => element.scrollHeight <= element.clientHeight + 1), true, 'nothing is cut off');
});

describe('what is not there', () => {
  test('a job that nobody archived is said to be missing, with a way to try again', async () => {
    await begin();
    await open.go(`/job/completed/${'0'.repeat(31)}1/overview`);
    await page.getByText('This job is not here').waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    // The browser itself tells of the 404.
    assert.ok(open.faults.length > 0 && open.faults.every((fault) => fault.includes('404')));
    open.faults.length = 0;
  });

  test('a server that is away leaves what was shown, says so, and is found again', async () => {
    await begin({ clock: false });
    await open.go('/application/completed');
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

test('an archive that arrives appears by itself; scroll, selection and focus stay', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'historyserver-live-'));
  const cluster = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
  const applications = join(directory, cluster, 'applications');
  mkdirSync(applications, { recursive: true });
  const copy = (id) => cpSync(join(FIXTURES[0], cluster, 'applications', id), join(applications, id), { recursive: true });
  copy(IDS.failing);
  copy(IDS.batch);
  const live = await startServer({ directories: [directory], options: { 'historyserver.archive.fs.refresh-interval': '1 s', 'historyserver.web.refresh-interval': '2 s' } });
  const before = server;
  server = live;
  try {
    await begin({ clock: false });
    await open.go('/application/completed');
    const link = page.locator(`tr[data-key="${IDS.batch}"] a`);
    await link.focus();
    await page.evaluate((id) => window.getSelection().selectAllChildren(document.querySelector(`tr[data-key="${id}"] td:nth-child(2)`)), IDS.failing);
    const marked = await page.evaluate(() => window.getSelection().toString());
    copy(IDS.mixedApplication);
    await page.locator(`tr[data-key="${IDS.mixedApplication}"]`).waitFor({ timeout: 20_000 });
    assert.equal(await link.evaluate((element) => element === document.activeElement), true);
    assert.equal(await page.evaluate(() => window.getSelection().toString()), marked);
    await page.getByRole('link', { name: /^Applications\s*3/ }).waitFor();
  } finally {
    server = before;
    await live.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('of a long list only what is in sight is drawn, more comes as it is scrolled, and what arrives moves nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'historyserver-long-'));
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
    // What was written just now is read once more, and that is told above the list for as long as it takes.
    utimesSync(file, 1_700_000_000, 1_700_000_000);
  }
  const live = await startServer({ directories: [directory], options: { 'historyserver.archive.fs.refresh-interval': '1 s', 'historyserver.web.refresh-interval': '2 s' } });
  const before = server;
  server = live;
  try {
    await begin({ clock: false });
    await open.go('/application/completed');
    const rows = page.locator('tbody tr[data-key]');
    const asked = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('cursor=')).length);
    assert.ok((await rows.count()) < 60);
    assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), String(COUNT + 1));
    assert.equal(await asked(), 0, 'the next page is asked for when it is scrolled to');
    const scroller = page.getByRole('region', { name: 'Completed Applications', exact: true });
    for (const last of [199, 399, COUNT - 1]) {
      // The end moves away when the next page arrives: it is scrolled to until its row is there.
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
    const seen = () =>
      page.evaluate(() => {
        const row = document.activeElement.closest('tr');
        return row && { key: row.dataset.key, top: row.getBoundingClientRect().top };
      });
    const place = await seen();
    // It ended after all others, and so comes in at the top.
    cpSync(join(archived, IDS.wide), join(applications, IDS.wide), { recursive: true });
    await page.waitForFunction((count) => document.querySelector('table').getAttribute('aria-rowcount') === String(count), COUNT + 2, { timeout: 20_000 });
    await page.waitForFunction((key) => document.querySelector(`tr[data-key="${key}"]`)?.dataset.index === '153', place.key);
    assert.deepEqual(await seen(), place);
    // What the page asks for next must not find the server gone.
    await page.goto('about:blank');
  } finally {
    server = before;
    await live.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('an empty list says why: nothing archived yet, or a directory that does not exist', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'historyserver-empty-'));
  const before = server;
  for (const [directories, words] of [
    [[directory], /No application has been archived yet/],
    [[join(directory, 'missing')], /The archive directory does not exist/],
  ]) {
    const empty = await startServer({ directories });
    server = empty;
    try {
      if (open) await open.close();
      await begin();
      await open.go('/application/completed');
      await page.getByRole('heading', { name: words }).waitFor();
      await page.getByText(directories[0]).first().waitFor();
    } finally {
      server = before;
      await empty.close();
    }
  }
  rmSync(directory, { recursive: true, force: true });
});

test('where there are only jobs of older versions, they are the home page', async () => {
  const before = server;
  const legacy = await startServer({ directories: [FIXTURES[2]] });
  server = legacy;
  try {
    await begin();
    await open.go('/');
    await page.getByRole('heading', { name: 'Completed Jobs' }).waitFor();
    await open.go('/application/completed');
    await page.getByRole('link', { name: /completed jobs$/ }).waitFor();
  } finally {
    server = before;
    await legacy.close();
  }
});
