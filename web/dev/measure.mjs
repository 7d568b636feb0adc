// Measures the speed of the pages in Chromium, with a running server: node dev/measure.mjs --url http://127.0.0.1:8082 [--runs 5]
//
// `WEB_DIST=disk` takes the pages from ../web-dist instead of from the binary of the server.
//
// Beside the time until a result is on the screen it prints the CPU time of the page's main thread: on a machine that is busy with other
// work only this one can be compared.
//
// Lists and a job are measured with the data of the server. The graph of 100 vertices and the tables of 4 × 256 and 10,000 subtasks are
// documents of this script, which replace the documents of the first job. So no archive of that size is needed.
import { launch, pagesFromDisk } from './browser.mjs';

const options = { url: 'http://127.0.0.1:8082', runs: '5' };
for (let at = 2; at < process.argv.length; at += 2) options[process.argv[at].slice(2)] = process.argv[at + 1];
const url = options.url.replace(/\/?$/, '/');
const runs = Number(options.runs);

const json = async (path) => (await fetch(url + path)).json();
const [{ id }] = (await json('api/v1/jobs?limit=1')).items;
const real = await json(`jobs/${id}`);

const browser = await launch();
const page = await (await browser.newContext({ viewport: { width: 1360, height: 850 } })).newPage();
if (process.env.WEB_DIST === 'disk') await pagesFromDisk(page, url);

const devtools = await page.context().newCDPSession(page);
await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
/** Milliseconds of CPU time that the main thread of the page has used so far: in all, and for scripts. */
async function used() {
  const { metrics } = await devtools.send('Performance.getMetrics');
  const of = (wanted) => 1000 * metrics.find(({ name }) => name === wanted).value;
  return { all: of('TaskDuration'), scripts: of('ScriptDuration') };
}

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
const middle = (found, key) => median(found.map((one) => one[key])).toFixed(0).padStart(5);
const report = (what, found) =>
  console.log(`${what.padEnd(46)} median ${middle(found, 'took')} ms, worst ${Math.max(...found.map(({ took }) => took)).toFixed(0).padStart(5)} ms; main thread ${middle(found, 'all')} ms, scripts ${middle(found, 'scripts')} ms`);

/** Milliseconds after which a measurement fails. */
const LIMIT = 30_000;

/** Milliseconds from an act, or from the navigation, to the first frame in which `shown` is true, and of the main thread. Both run in the page. */
async function timed(what, act, shown, argument) {
  const before = act === null ? { all: 0, scripts: 0 } : await used();
  const took = await page.evaluate(
    ([actText, shownText, given, limit]) =>
      new Promise((resolve) => {
        const [run, holds] = [actText, shownText].map((text) => new Function(`return (${text})`)());
        const begin = actText === 'null' ? 0 : performance.now();
        run?.(given);
        const check = () => {
          if (holds(given)) requestAnimationFrame(() => resolve(performance.now() - begin));
          else if (performance.now() - begin > limit) resolve(null);
          else requestAnimationFrame(check);
        };
        check();
      }),
    [String(act), String(shown), argument, LIMIT],
  );
  if (took === null) throw new Error(`${what}: not shown within ${LIMIT / 1000} s at ${page.url()}: ${shown}`);
  const after = await used();
  return { took, all: after.all - before.all, scripts: after.scripts - before.scripts };
}

async function repeated(what, before, act, shown, argument) {
  const times = [];
  for (let run = 0; run < runs; run += 1) {
    await before();
    times.push(await timed(what, act, shown, argument));
  }
  report(what, times);
}

const at = async (hash, selector) => {
  await page.goto('about:blank');
  await page.goto(`${url}#${hash}`);
  await page.locator(selector).first().waitFor({ timeout: LIMIT });
  // A user looks at the page before the next act, so the page is complete by then.
  await page.waitForLoadState('networkidle');
};
const go = (hash) => {
  window.location.hash = hash;
};

const first = [];
for (let run = 0; run < runs; run += 1) {
  await page.goto('about:blank');
  await page.goto(`${url}#/application/completed`, { waitUntil: 'commit' });
  first.push(await timed('first list rendered', null, () => document.querySelector('tbody tr[data-key]') !== null));
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
let size = 100;
let rows = 1024;
// The paths of Flink only: `api/v1/jobs/…` has the facts of the job.
await page.route(`${url}jobs/${id}`, (route) => route.fulfill({ json: { ...real, vertices: vertices.slice(0, size), plan: { ...real.plan, nodes: nodes.slice(0, size) } } }));
await page.route(`${url}jobs/${id}/vertices/*`, (route) => route.fulfill({ json: subtasks(rows) }));

await repeated('graph and table of 100 vertices', () => at('/server', 'h1'), go, () => document.querySelectorAll('.node').length === 100, `#/job/completed/${id}/overview`);
size = 4;
const subtasksHash = `/job/completed/${id}/overview/${vertices[0].id}/subtasks`;
await repeated('table of 4 × 256 subtasks', () => at('/server', 'h1'), go, () => document.querySelector('[role="dialog"] tr[data-key]') !== null, `#${subtasksHash}`);

rows = 10_000;
await at(subtasksHash, '[role="dialog"] tr[data-key]');
const scroller = page.locator('[role="dialog"] .scroller.virtual');
await scroller.waitFor({ timeout: LIMIT });
const FRAMES = 300;
const frames = await scroller.evaluate(
  (element, [count, limit]) =>
    new Promise((resolve) => {
      const found = [];
      const begin = performance.now();
      let before = begin;
      const step = (now) => {
        found.push(now - before);
        before = now;
        element.scrollTop += 180;
        if (found.length <= count && now - begin < limit) requestAnimationFrame(step);
        else resolve(found.slice(1));
      };
      requestAnimationFrame(step);
    }),
  [FRAMES, LIMIT],
);
const drawn = await scroller.locator('tr[data-index]').last().getAttribute('data-index');
if (frames.length < FRAMES || Number(drawn) < 1000) throw new Error(`only ${frames.length} frames within ${LIMIT / 1000} s, down to row ${drawn}`);
frames.sort((a, b) => a - b);
const part = (share) => frames[Math.min(frames.length - 1, Math.floor(share * frames.length))].toFixed(1);
console.log(`scrolling 10,000 subtasks: frames of ${part(0.5)} ms (median), ${part(0.95)} ms (p95), ${part(0.99)} ms (p99), ${part(1)} ms (worst)`);
await browser.close();
