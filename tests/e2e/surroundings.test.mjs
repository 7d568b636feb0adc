// Environments of the pages: a reverse proxy, a long first refresh, a narrow screen, and users who do not see colours.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { test } from 'node:test';
import { IDS, json, NARROW } from './support.mjs';
import { begin, open, page, server, useNewPages, useServer } from './shared.mjs';

useServer();
useNewPages();

test('every page works below the prefix of a reverse proxy and sends no request outside it', async () => {
  const PREFIX = '/ops/flink history/';
  const outside = [];
  const proxy = createServer((incoming, answer) => {
    const path = decodeURI(incoming.url);
    if (!path.startsWith(PREFIX)) {
      outside.push(path);
      answer.writeHead(404).end();
      return;
    }
    const target = new URL(incoming.url.slice(encodeURI(PREFIX).length), server.url);
    incoming.pipe(
      request(target, { method: incoming.method, headers: { ...incoming.headers, host: target.host } }, (response) => {
        answer.writeHead(response.statusCode, response.headers);
        response.pipe(answer);
      }),
    );
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    await begin(null, {}, { url: `http://127.0.0.1:${proxy.address().port}${encodeURI(PREFIX)}` });
    const { vertices } = await json(server, `jobs/${IDS.failing}`);
    await open.go('/application/completed');
    for (const [hash, words] of [
      ['/application/completed', 'REST always failing'],
      [`/application/completed/${IDS.mixedApplication}/overview`, 'multifail part 2 fails'],
      [`/job/completed/${IDS.failing}/overview/${vertices[0].id}/subtasks`, 'Time in states'],
      [`/job/completed/${IDS.failing}/exceptions`, 'nested cause'],
      ['/search?q=disk', 'legacy failing'],
      ['/statistics?period=7d', 'Final states'],
      ['/server', 'Archive directories'],
    ]) {
      await open.turn(hash);
      await page.getByText(words).first().waitFor();
      assert.equal(await page.locator('.error-panel').count(), 0, hash);
    }
    await open.turn(`/job/completed/${IDS.failing}/exceptions`);
    const document = await page.evaluate(async () => (await fetch(document.querySelector('main .raw a').href)).json());
    assert.deepEqual(document, await json(server, `jobs/${IDS.failing}/exceptions`));
    assert.deepEqual(outside, []);
  } finally {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  }
});

test('a list shows the progress of the first refresh', async () => {
  await begin();
  let listed = 0;
  await page.route('**/api/v1/status', async (route) => {
    const status = await (await route.fetch()).json();
    const { refresh, figures } = status;
    await route.fulfill({ json: { ...status, figures: { ...figures, applications: listed }, refresh: { ...refresh, pending: 1234, running_since: status.now } } });
  });
  await page.route('**/api/v1/applications?*', async (route) => {
    const answer = await (await route.fetch()).json();
    await route.fulfill({ json: listed ? answer : { ...answer, items: [], next: null, total: { count: 0, exact: true } } });
  });
  await open.go('/application/completed');
  await page.getByRole('heading', { name: 'The archives are being read' }).waitFor();
  await page.getByText('1,234 archives are waiting').waitFor();
  listed = (await json(server, 'applications/overview')).applications.length;
  await open.go('/application/completed');
  await page.getByText(`Reading archives: 1,234 pending, ${listed} applications read.`).waitFor();
  assert.equal(await page.getByRole('progressbar', { name: 'Archives read' }).getAttribute('max'), String(1234 + listed));
  assert.equal(await page.locator('tbody tr[data-key]').count(), listed);
});

test('a status has a word, an icon and a colour, in both themes', async () => {
  for (const theme of ['light', 'dark']) {
    await begin(null, { theme });
    await open.go('/job/completed');
    const shown = await page.locator('tbody .status').evaluateAll((all) =>
      all.map((one) => ({ word: one.textContent.trim(), icon: one.querySelector('svg').innerHTML, color: getComputedStyle(one).color })),
    );
    const words = [...new Set(shown.map(({ word }) => word))];
    assert.deepEqual(words.sort(), ['CANCELED', 'FAILED', 'FINISHED']);
    for (const by of ['icon', 'color']) {
      assert.equal(new Set(shown.map((one) => one[by])).size, words.length, by);
      for (const word of words) assert.equal(new Set(shown.filter((one) => one.word === word).map((one) => one[by])).size, 1, `${by} of ${word}`);
    }
    // Counts by state have no room for the word. Screen readers and tooltips have it.
    const counts = page.locator('tbody .counts');
    assert.equal(await counts.locator('.count:not(:has(svg)), .count:not(:has(.visually-hidden))').count(), 0);
    for (const title of await counts.evaluateAll((all) => all.map((one) => one.title))) assert.match(title, /^[\d,]+ tasks: [\d,]+ [A-Z]+/);
    if (theme === 'light') await open.close();
  }
});

test('on a narrow screen the counts are visible with the menu closed and open', async () => {
  const { figures } = await json(server, 'api/v1/status');
  await begin(null, { viewport: NARROW });
  await open.go('/application/completed');
  const totals = page.getByText(`${figures.applications} applications${figures.jobs} jobs`);
  assert.equal(await totals.isVisible(), true);
  await page.getByRole('button', { name: 'Menu' }).click();
  assert.equal(await page.getByRole('link', { name: `Jobs ${figures.jobs}` }).isVisible(), true);
  assert.equal(await totals.count(), 0);
});

test('while archives are still to be read, no page takes what is unknown for nothing', async () => {
  await begin();
  await page.route('**/api/v1/**', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const isFailed = ({ status }) => status === 'FAILED';
    if (body.figures) body.figures = { ...body.figures, units: 20, queued: 5 };
    for (const item of body.items ?? []) item.read = !isFailed(item);
    if (body.exceptions) body.exceptions = [];
    await route.fulfill({ json: { ...body, queued: 5 } });
  });
  await open.go('/job/completed?status=FAILED');
  await page.getByText('15 of 20 applications and jobs read. The others are listed from their summaries.').waitFor();
  assert.equal(await page.getByRole('progressbar', { name: 'Archives read' }).getAttribute('value'), '15');
  const rows = await page.locator('tbody tr[data-key]').count();
  assert.ok(rows > 0);
  assert.equal(await page.locator('tbody').getByText('not read yet').count(), rows);

  await open.go('/runs/jobs?name=REST+always+failing');
  await page.getByText('5 applications and jobs have not been read yet. Their figures and failures will follow.').waitFor();
  assert.equal(await page.getByRole('table', { name: 'Runs' }).getByText('not read yet').count() > 0, true);

  await open.go('/statistics?period=1y');
  await page.getByText('Their exceptions will follow.').waitFor();
  await page.getByRole('heading', { name: 'No exception has been read yet' }).waitFor();

  await open.go('/search?q=nothing+is+called+so');
  await page.getByRole('heading', { name: 'Nothing found yet' }).waitFor();
});

test('the page of a job that is still to be read shows the facts when it was read', async () => {
  await begin();
  let read = false;
  await page.route(`**/api/v1/jobs/${IDS.failing}`, async (route) => {
    const body = await (await route.fetch()).json();
    await route.fulfill({ json: read ? { ...body, read } : { ...body, read, facts: null } });
  });
  await page.route(`${server.url}jobs/${IDS.failing}`, async (route) => {
    const answer = await route.fetch();
    read = true;
    await route.fulfill({ response: answer });
  });
  await open.go(`/job/completed/${IDS.failing}/overview`);
  await page.getByText('Restarts', { exact: true }).waitFor();
});
