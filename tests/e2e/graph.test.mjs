// The graph of a job: large graphs fit, nothing covers a vertex, and it is placed beside the main thread.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDS, json, settle } from './support.mjs';
import { begin, open, page, server, useNewPages, useServer } from './shared.mjs';

useServer();
useNewPages();

/** Opens a job with this many vertices, each of which reads from one before it. */
async function openGraph(count) {
  const real = await json(server, `jobs/${IDS.wide}`);
  const id = (index) => index.toString(16).padStart(32, '0');
  const vertices = Array.from({ length: count }, (_, index) => ({ ...real.vertices[0], id: id(index), name: `Vertex ${index}` }));
  const nodes = vertices.map(({ id: own, name }, index) => ({
    id: own,
    parallelism: 4,
    description: name,
    inputs: index === 0 ? [] : [{ num: 0, id: id(Math.floor((index - 1) / 2)), ship_strategy: 'HASH', exchange: 'pipelined_bounded' }],
  }));
  await begin();
  await page.route(`${server.url}jobs/${IDS.wide}`, (route) => route.fulfill({ json: { ...real, vertices, plan: { ...real.plan, nodes } } }));
  await page.route(`${server.url}jobs/${IDS.wide}/vertices/*`, (route) => route.fulfill({ json: { subtasks: [] } }));
  await open.go(`/job/completed/${IDS.wide}/overview`);
  await page.waitForFunction((wanted) => document.querySelectorAll('.node').length === wanted, count);
}

test('Fit shows all 40 vertices, and the controls cover none of them', async () => {
  await openGraph(40);
  await page.getByRole('button', { name: 'Fit' }).click();
  const { hidden, covered } = await page.evaluate(() => {
    const box = (element) => element.getBoundingClientRect();
    const frame = box(document.querySelector('.frame'));
    const controls = box(document.querySelector('.controls'));
    const nodes = [...document.querySelectorAll('.node')].map(box);
    return {
      hidden: nodes.filter((one) => one.left < frame.left - 1 || one.top < frame.top - 1 || one.right > frame.right + 1 || one.bottom > frame.bottom + 1).length,
      covered: nodes.filter((one) => one.right > controls.left && one.left < controls.right && one.bottom > controls.top && one.top < controls.bottom).length,
    };
  });
  assert.deepEqual({ hidden, covered }, { hidden: 0, covered: 0 });
});

test('the label of an edge is on its edge', async () => {
  await openGraph(15);
  const far = await page.evaluate(() =>
    [...document.querySelectorAll('.frame svg > text')].map((label) => {
      const path = label.previousElementSibling;
      const { x, y, width, height } = label.getBBox();
      const length = path.getTotalLength();
      const points = Array.from({ length: 200 }, (_, step) => path.getPointAtLength((length * step) / 199));
      return Math.min(...points.map((point) => Math.hypot(point.x - (x + width / 2), point.y - (y + height / 2))));
    }),
  );
  assert.equal(far.length, 14);
  assert.ok(Math.max(...far) < 5, `a label is ${Math.max(...far)} px away from its edge`);
});

test('a job that is opened from the list needs no further script', async () => {
  await begin();
  const scripts = [];
  page.on('request', (request) => /\.js$/.test(request.url()) && scripts.push(request.url()));
  const ready = page.waitForRequest(/worker-[^/]*\.js$/);
  await open.go('/job/completed');
  await ready;
  await settle(page);
  scripts.length = 0;
  await page.locator('tbody tr[data-key] a').first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await settle(page);
  assert.deepEqual(scripts, []);
});
