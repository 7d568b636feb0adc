// How fast the pages are in Chromium, over a server that runs: node dev/measure.mjs --url http://127.0.0.1:8082 [--runs 5]
//
// Lists and opening a job are measured over what the server has. A graph of 100 vertices, a table of 4 × 256 subtasks and one of
// 10,000 are documents made here, in the place of those of the first job: archives of that size need not be at hand.
import { launch } from './browser.mjs';

const options = { url: 'http://127.0.0.1:8082', runs: '5' };
for (let at = 2; at < process.argv.length; at += 2) options[process.argv[at].slice(2)] = process.argv[at + 1];
const url = options.url.replace(/\/?$/, '/');
const runs = Number(options.runs);

const json = async (path) => (await fetch(url + path)).json();
const [{ id }] = (await json('api/v1/jobs?limit=1')).items;
const real = await json(`jobs/${id}`);

const browser = await launch();
const page = await (await browser.newContext({ viewport: { width: 1360, height: 850 } })).newPage();

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
const report = (what, times) => console.log(`${what.padEnd(58)} median ${median(times).toFixed(0).padStart(5)} ms, worst ${Math.max(...times).toFixed(0).padStart(5)} ms`);

/** Milliseconds from an act to the frame in which `shown` holds. Both run in the page. */
function timed(act, shown, argument) {
  return page.evaluate(
    ([actText, shownText, given]) =>
      new Promise((resolve) => {
        const [run, holds] = [actText, shownText].map((text) => new Function(`return (${text})`)());
        const begin = performance.now();
        run(given);
        const look = () => (holds(given) ? requestAnimationFrame(() => resolve(performance.now() - begin)) : requestAnimationFrame(look));
        look();
      }),
    [act.toString(), shown.toString(), argument],
  );
}

async function repeated(what, before, act, shown, argument) {
  const times = [];
  for (let run = 0; run < runs; run += 1) {
    await before();
    times.push(await timed(act, shown, argument));
  }
  report(what, times);
}

const at = async (hash, selector) => {
  await page.goto('about:blank');
  await page.goto(`${url}#${hash}`);
  await page.locator(selector).first().waitFor();
};
const go = (hash) => {
  window.location.hash = hash;
};

const first = [];
for (let run = 0; run < runs; run += 1) {
  await page.goto('about:blank');
  await page.goto(`${url}#/application/completed`, { waitUntil: 'commit' });
  first.push(await page.evaluate(() => new Promise((resolve) => {
    const look = () => (document.querySelector('tbody tr[data-key]') ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look));
    look();
  })));
}
report('first list rendered, from navigation', first);

const list = () => at('/application/completed', 'tbody tr[data-key]');
await repeated('sorted by duration', list, () => document.querySelectorAll('th .sort')[2].click(), () => document.querySelector('th[aria-sort="descending"]')?.textContent.includes('Duration') && document.querySelector('.list').getAttribute('aria-busy') === 'false');
await repeated('only what failed', list, go, () => document.querySelector('.chip.failed')?.getAttribute('aria-pressed') === 'true' && document.querySelector('.list').getAttribute('aria-busy') === 'false', '#/application/completed?status=FAILED');
await repeated('scrolled to the end of the first page', list, () => { document.querySelector('.scroller').scrollTop = 1e9; }, () => Number([...document.querySelectorAll('tr[data-index]')].at(-1)?.dataset.index) >= Math.min(199, Number(document.querySelector('table').getAttribute('aria-rowcount')) - 2));
await repeated('a job opened from the list', () => at('/job/completed', 'tbody tr[data-key]'), () => document.querySelector('tbody tr[data-key] a').click(), () => document.querySelector('.node') !== null);

const metrics = real.vertices[0].metrics;
const vertex = (index) => ({ ...real.vertices[0], id: index.toString(16).padStart(32, '0'), name: `Vertex ${index}`, parallelism: 256, metrics });
const vertices = Array.from({ length: 100 }, (_, index) => vertex(index));
const nodes = vertices.map(({ id: own, name }, index) => ({
  id: own,
  parallelism: 256,
  description: name,
  inputs: index === 0 ? [] : [{ num: 0, id: vertices[Math.floor((index - 1) / 2)].id, ship_strategy: 'HASH', exchange: 'pipelined_bounded' }],
}));
const subtasks = (count) => ({
  ...vertices[0],
  subtasks: Array.from({ length: count }, (_, subtask) => ({ subtask, status: 'FINISHED', attempt: 0, endpoint: `host-${subtask}:1`, 'start-time': real['start-time'], 'end-time': real['end-time'], duration: subtask, metrics })),
});
let rows = 1024;
await page.route(`**/jobs/${id}`, (route) => route.fulfill({ json: { ...real, vertices, plan: { ...real.plan, nodes } } }));
await page.route(`**/jobs/${id}/vertices/*`, (route) => route.fulfill({ json: subtasks(rows) }));

await repeated('graph and table of 100 vertices', () => at('/server', 'h1'), go, () => document.querySelectorAll('.node').length === 100, `#/job/completed/${id}/overview`);
const subtasksHash = `/job/completed/${id}/overview/${vertices[0].id}/subtasks`;
await repeated('table of 4 × 256 subtasks', () => at('/server', 'h1'), go, () => document.querySelector('[role="dialog"] tr[data-key]') !== null, `#${subtasksHash}`);

rows = 10_000;
await at(subtasksHash, '[role="dialog"] tr[data-key]');
const frames = await page.evaluate(() => new Promise((resolve) => {
  const scroller = document.querySelector('[role="dialog"] .scroller.virtual');
  const found = [];
  let before = performance.now();
  const step = (now) => {
    found.push(now - before);
    before = now;
    scroller.scrollTop += 180;
    if (found.length < 300) requestAnimationFrame(step);
    else resolve(found.slice(1));
  };
  requestAnimationFrame(step);
}));
frames.sort((a, b) => a - b);
console.log(`scrolling 10,000 subtasks: frames of ${frames[150].toFixed(1)} ms (median), ${frames[294].toFixed(1)} ms (p99), ${frames.at(-1).toFixed(1)} ms (worst)`);
await browser.close();
