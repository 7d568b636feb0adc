// The page Server: readiness, directories, problems, the next cleanup, deletions and tasks, compared with the answers of the server.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertAccessible, assertFits, DESKTOP, FIXTURES, IDS, json, NARROW } from './support.mjs';
import { begin, open, page, temporary, useBrowser, withServer } from './shared.mjs';

useBrowser();

let directory;

/** Runs `act` on the page Server over a copy of the archives, because a cleanup deletes archives. */
async function over(options, change, act) {
  directory = temporary('server');
  cpSync(FIXTURES[0], directory, { recursive: true });
  change();
  const ready = ({ refresh, cleanup }) => refresh.finished > 0 && refresh.pending === 0 && (!options['historyserver.archive.retained-applications'] || cleanup?.finished > 0);
  await withServer({ directories: [directory], options, ready }, async (server) => {
    await begin('/server', { clock: false });
    await act(server);
    for (const viewport of [DESKTOP, NARROW]) {
      await open.display({ viewport });
      await assertFits(page, 'server');
      await assertAccessible(page, 'server');
    }
  });
}

const rows = (label) => page.getByRole('table', { name: label, exact: true }).locator('tbody tr[data-key]');

test('problems, page by page and by kind, each with its reason', async () => {
  const damaged = 120;
  await over(
    {},
    () => {
      const applications = join(directory, 'd2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2', 'applications');
      for (let at = 0; at < damaged; at += 1) {
        const folder = join(applications, at.toString(16).padStart(32, '0'));
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'application-summary'), '{"archive": [');
      }
      // The summary of another application.
      const summary = join(FIXTURES[0], 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1', 'applications', IDS.batch, 'application-summary');
      cpSync(summary, join(applications, 'e'.repeat(32), 'application-summary'));
    },
    async (server) => {
      const { total, items } = await json(server, 'api/v1/problems?limit=1000');
      assert.ok(total.count >= damaged);
      // The rows in view come first, the others follow.
      await page.waitForFunction(() => document.querySelectorAll('table[aria-label="Problems"] tbody tr[data-key]').length === 100);
      assert.ok((await rows('Problems').first().innerText()).includes(items[0].reason));
      await page.getByRole('button', { name: 'Show more' }).click();
      await page.waitForFunction((count) => document.querySelectorAll('table[aria-label="Problems"] tbody tr[data-key]').length === count, total.count);
      const { code } = items.find((one) => one.code !== items[0].code);
      await page.getByRole('combobox', { name: 'Kind of problem' }).selectOption(code);
      const chosen = items.filter((one) => one.code === code).length;
      await page.waitForFunction((count) => document.querySelectorAll('table[aria-label="Problems"] tbody tr[data-key]').length === count, Math.min(chosen, 100));
    },
  );
});

test('a cleanup on hold has its reason, an action and the command that confirms it', async () => {
  await over({ 'historyserver.archive.retained-applications': '3', 'historyserver.archive.retention.max-delete-fraction': '0.1' }, () => undefined, async (server) => {
    const preview = await json(server, 'api/v1/retention/preview');
    assert.equal(preview.removals.length, 11);
    assert.equal(await rows('Next cleanup').count(), preview.removals.length);
    assert.ok((await rows('Next cleanup').first().innerText()).includes(preview.removals[0].detail));
    await page.getByRole('alert').getByText(`historyserver cleanup --confirm ${preview.held_back[0].plan}`, { exact: true }).waitFor();
    const { units, of } = preview.held_back[0];
    assert.match(await page.getByRole('alert').innerText(), new RegExp(`is on hold since [^]*It would remove ${units} of ${of} applications and jobs[^]*max-delete-fraction[^]*confirm the plan`));
    await page.getByText('No application or job has been removed').waitFor();
  });
});

test('each reason of a cleanup on hold has its explanation', async () => {
  const WORDS = {
    'first-limit': 'It is the first cleanup of this directory with a limit',
    'stricter-limit': 'is stricter than at the last cleanup',
    vanished: 'Check that the volume is mounted',
    clock: 'Correct the clock.',
    times: 'Restore the modification times of these files',
  };
  await over({}, () => undefined, async (server) => {
    const { next_runs, removals } = await json(server, 'api/v1/retention/preview');
    const held_back = Object.keys(WORDS).map((reason, index) => ({ directory: `file://${directory}`, plan: `plan-${index}`, units: 3, of: 4, since: Date.now(), reason }));
    await page.route('**/api/v1/retention/preview?*', (route) => route.fulfill({ json: { next_runs, removals, next: null, held_back } }));
    await open.go('/server');
    for (const words of Object.values(WORDS)) await page.getByRole('alert').getByText(words).waitFor();
    assert.equal(await page.getByRole('alert').getByText('3 of 4 applications and jobs (75 %)').count(), held_back.length);
  });
});

test('the readiness has its reasons while archives are missing', async () => {
  await over({}, () => undefined, async (server) => {
    const readiness = page.locator('section.panel', { has: page.getByRole('heading', { name: 'Readiness' }) });
    assert.match(await readiness.innerText(), /Ready\s+yes\s+Complete\s+yes/);
    assert.equal(await readiness.getByRole('list').count(), 0);
    const status = await json(server, 'api/v1/status');
    const reasons = [{ code: 'archives-unfetched', directory: `file://${directory}`, message: `7 archives of file://${directory} could not be read yet.` }];
    await page.route('**/api/v1/status', (route) => route.fulfill({ json: { ...status, readiness: { ...status.readiness, complete: false, reasons } } }));
    await open.go('/server');
    assert.match(await readiness.innerText(), /Ready\s+yes\s+Complete\s+no/);
    assert.match(await readiness.getByRole('list', { name: 'Reasons' }).innerText(), /^7 archives of .* could not be read yet\. archives-unfetched$/);
  });
});

test('deletions are recorded, and the tasks have descriptions', async () => {
  const options = { 'historyserver.archive.retained-applications': '3', 'historyserver.archive.retention.max-delete-fraction': '1.0' };
  await over(options, () => undefined, async (server) => {
    const { deletions } = await json(server, 'api/v1/deletions');
    assert.equal(deletions.length, 11);
    assert.equal(await rows('Deletions').count(), deletions.length);
    const first = await rows('Deletions').first().innerText();
    assert.ok(first.includes(deletions[0].name ?? deletions[0].application), first);
    await page.getByText('No application or job is due for removal').waitFor();
    const { items } = await json(server, 'api/v1/tasks');
    assert.deepEqual(await rows('Tasks').evaluateAll((all) => all.map((row) => row.dataset.key)), items.map(({ name }) => name));
    const { refresh } = await json(server, 'api/v1/status');
    assert.equal(await rows('Archive directories').count(), refresh.directories.length);
  });
});
