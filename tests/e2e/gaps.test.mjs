// Data that archives do not have: pages say what is missing and why, and look for it in other documents.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { assertAccessible, assertFits, FIXTURES, NARROW } from './support.mjs';
import { begin, open, page, temporary, useOnePage, useServer, withServer } from './shared.mjs';

const VERSIONS = fileURLToPath(new URL('../fixtures/versions', import.meta.url));
const CLUSTER = '00000000000000000000000000000000';

const WITHOUT_CHECKPOINTS = '97e64afe56d154c5ef33d6bd2ea42fe0';
const WITHOUT_CAUSE = 'ae221c712fd8cf5bb4584a8c9d1b7ebb';
const CAUSE_IN_APPLICATION = { application: 'ef9e9c473d4909e0f1899f4f7f68b6a8', job: 'de4c9f85a5e54614eb636ef02aa5178c' };
const CAUSE_IN_RESCALE = '93420ca35fb18963d74f3829a3b4411a';
const CANCELED_WAITING = '981204ffbcafec8a54f7ac5afc6b246c';
const SPECULATIVE = '0d218881982cbb2c420e5f3883a3ae0f';
const RECOVERED = 'e37435246a7e3bfbecc7bd4390253b4c';
const BEFORE_1_16 = '50c534110360020e8d08e51f58954d7e';

const ODD = '79eb47759991d2da768adf0c2edcee76';
const CUT = '231ca9eda182b5e0c291bb541c0c87c8';

const NO_EXCEPTIONS = { exceptionHistory: { entries: [], truncated: false } };

/** Copies an archive and changes some of its documents. */
function copy(from, to, change = () => ({})) {
  const { archive } = JSON.parse(readFileSync(from, 'utf8'));
  const documents = new Map(archive.map(({ path, json }) => [path, json]));
  const changes = change((path) => JSON.parse(documents.get(path)));
  for (const [path, document] of Object.entries(changes)) documents.set(path, JSON.stringify(document));
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, JSON.stringify({ archive: [...documents].map(([path, json]) => ({ path, json })) }));
}

function makeArchives(directory) {
  copy(join(FIXTURES[2], WITHOUT_CHECKPOINTS), join(directory, WITHOUT_CHECKPOINTS), () => ({
    [`/jobs/${WITHOUT_CHECKPOINTS}/checkpoints`]: {},
    [`/jobs/${WITHOUT_CHECKPOINTS}/checkpoints/config`]: {},
  }));
  copy(join(FIXTURES[2], ODD), join(directory, ODD), (read) => {
    const job = read(`/jobs/${ODD}`);
    Object.assign(job.vertices[0], { status: 7, name: { text: 'Source' } });
    job.plan.nodes[0].inputs = 5;
    return { [`/jobs/${ODD}`]: job, [`/jobs/${ODD}/exceptions`]: 'none', [`/jobs/${ODD}/config`]: [] };
  });
  copy(join(VERSIONS, 'flink-2.1.3', WITHOUT_CAUSE), join(directory, WITHOUT_CAUSE), () => ({ [`/jobs/${WITHOUT_CAUSE}/exceptions`]: NO_EXCEPTIONS }));
  const application = (id, job, changes, ofApplication) => {
    const place = join('applications', id);
    const from = join(VERSIONS, 'flink-2.3.0', CLUSTER, place);
    copy(join(from, 'application-summary'), join(directory, CLUSTER, place, 'application-summary'), ofApplication);
    copy(join(from, 'jobs', job), join(directory, CLUSTER, place, 'jobs', job), changes);
  };
  application(CAUSE_IN_APPLICATION.application, CAUSE_IN_APPLICATION.job, () => ({ [`/jobs/${CAUSE_IN_APPLICATION.job}/exceptions`]: NO_EXCEPTIONS }));
  application(
    CAUSE_IN_RESCALE,
    CAUSE_IN_RESCALE,
    (read) => {
      const [last, ...others] = read(`/jobs/${CAUSE_IN_RESCALE}/rescales/history`);
      const ended = { ...last, terminalState: 'FAILED', terminatedReason: 'EXCEPTION_OCCURRED' };
      const details = `/jobs/${CAUSE_IN_RESCALE}/rescales/details/${last.rescaleUuid}`;
      const state = { state: 'WaitingForResources', enterTimestampInMillis: 1795804901000, leaveTimestampInMillis: 1795804902000, durationInMillis: 1000 };
      return {
        [`/jobs/${CAUSE_IN_RESCALE}/exceptions`]: NO_EXCEPTIONS,
        // The last rescale is not the first entry.
        [`/jobs/${CAUSE_IN_RESCALE}/rescales/history`]: [...others, ended],
        [details]: { ...read(details), schedulerStates: [{ ...state, stringifiedException: 'org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Not enough resources for scheduling.\n\tat a.B.c(B.java:1)' }] },
      };
    },
    () => ({ [`/applications/${CAUSE_IN_RESCALE}/exceptions`]: NO_EXCEPTIONS }),
  );
  writeFileSync(join(directory, CUT), readFileSync(join(FIXTURES[2], CUT)).subarray(0, 5000));
  for (const [version, id] of [['2.2.1', CANCELED_WAITING], ['1.16.3', SPECULATIVE], ['1.17.2', RECOVERED], ['1.13.6', BEFORE_1_16]]) cpSync(join(VERSIONS, `flink-${version}`, id), join(directory, id));
}

useServer(() => {
  const directory = temporary('gaps');
  makeArchives(directory);
  return { directories: [directory] };
});
useOnePage();

describe('missing data of an archive', () => {
  const main = () => page.locator('main').innerText();

  test('checkpoints that were disabled, as Flink 1.2 to 1.4 archives it', async () => {
    for (const view of ['', '?view=history', '?view=summary', '?view=configuration']) {
      await open.turn(`/job/completed/${WITHOUT_CHECKPOINTS}/checkpoints${view}`);
      await page.getByRole('heading', { name: 'Checkpointing was disabled for this job' }).waitFor();
    }
    await open.turn(`/job/completed/${WITHOUT_CHECKPOINTS}/overview`);
    assert.equal(await page.getByRole('navigation', { name: 'Job' }).getByRole('link', { name: 'Checkpoints' }).count(), 0);
  });

  test('members with the types of Flink', async () => {
    await open.turn(`/job/completed/${ODD}/overview`);
    assert.match(await main(), /The document of the job is not as Flink writes it: vertices\[0\]\.name is an object instead of a text/);
    assert.ok((await page.getByRole('table', { name: 'Vertices of the job' }).locator('tbody tr').count()) > 1);
    for (const [tab, text] of [
      ['exceptions', /The document of the exceptions is not as Flink writes it: it is a text instead of an object\./],
      ['configuration', /The document of the configuration is not as Flink writes it: it is a list instead of an object\./],
      ['timeline', /Vertices/],
      ['cluster_configuration', /JobManager configuration/],
    ]) {
      await open.turn(`/job/completed/${ODD}/${tab}`);
      assert.match(await main(), text);
    }
  });

  test('the cause of a failure, which the exceptions of the application have', async () => {
    const { application, job } = CAUSE_IN_APPLICATION;
    await open.turn(`/job/completed/${job}/overview`);
    const callout = page.getByRole('region', { name: 'Root cause' });
    assert.match(await callout.innerText(), /Source: the exceptions of its application\. The job itself recorded no exception\./);
    assert.equal(await callout.getByRole('link', { name: 'Full exception' }).getAttribute('href'), `#/application/completed/${application}/exceptions`);
    await assertAccessible(page, 'a cause from the application');
  });

  test('the cause of a failure, which the last rescale has', async () => {
    await open.turn(`/job/completed/${CAUSE_IN_RESCALE}/overview`);
    const callout = page.getByRole('region', { name: 'Root cause' });
    assert.match(await callout.innerText(), /NoResourceAvailableException[^]*Not enough resources for scheduling\.[^]*Source: the state WaitingForResources of the scheduler in the last rescale/);
    await callout.getByRole('link', { name: 'Full exception' }).click();
    await page.getByRole('region', { name: 'Exception in state WaitingForResources' }).waitFor();
  });

  test('the cause of a failure, which no document has', async () => {
    await open.turn(`/job/completed/${WITHOUT_CAUSE}/overview`);
    assert.match(await main(), /This archive has no exception of the failed job\./);
    assert.match(await main(), /This archive has no vertices of the job/);
  });

  test('a plan, an end, and vertices that started', async () => {
    await open.turn(`/job/completed/${CANCELED_WAITING}/overview`);
    const facts = await page.locator('header.head').innerText();
    assert.match(facts, /Duration\s+2\.75 s\s+End Time\s+2026-11-27 19:29:54\.702/);
    assert.match(await main(), /This archive has no plan, so the connections of the vertices are unknown\./);
    await open.turn(`/job/completed/${CANCELED_WAITING}/timeline`);
    assert.match(await main(), /No vertex of this job ever started/);
  });

  test('a configuration of the cluster, before Flink 1.16', async () => {
    await open.turn(`/job/completed/${BEFORE_1_16}/cluster_configuration`);
    assert.match(await main(), /This archive has no configuration of the cluster\s+Flink archives it since version 1\.16\./);
    assert.equal(await page.locator('.error-panel').count(), 0);
  });

  test('data from before a recovery', async () => {
    await open.turn(`/job/completed/${RECOVERED}/overview`);
    assert.match(await main(), /This job started from checkpoint 7 of an earlier run\./);
    await open.turn(`/job/completed/${CANCELED_WAITING}/overview`);
    assert.doesNotMatch(await main(), /of an earlier run/);
  });

  test('attempts are counted from 1 everywhere, and their names are not cut off', async () => {
    await open.turn(`/job/completed/${SPECULATIVE}/overview`);
    const vertices = await page.getByRole('table', { name: 'Vertices of the job' }).getByRole('link').evaluateAll((links) => links.map((link) => link.hash.slice(1).replace('/detail', '/subtasks')));
    let others = 0;
    for (const address of vertices) {
      await open.turn(address);
      const all = page.getByRole('button', { name: 'Show all attempts' });
      if ((await all.count()) === 0) continue;
      await all.click();
      await page.locator('.other-attempt').first().waitFor();
      for (const viewport of [{ width: 1280, height: 800 }, NARROW]) {
        await open.display({ viewport });
        await assertFits(page, address);
        const shown = await page.locator('.other-attempt').evaluateAll((rows) =>
          rows.map((row) => {
            const [first, attempt] = row.cells;
            const label = first.querySelector('.earlier');
            return { label: label.innerText, attempt: attempt.innerText, cut: label.getBoundingClientRect().right > first.getBoundingClientRect().right };
          }),
        );
        for (const { label, attempt, cut } of shown) {
          others += 1;
          assert.equal(cut, false, label);
          // A card has no column for the attempt.
          assert.equal(label, `Attempt ${viewport === NARROW ? /\d+/.exec(label)[0] : attempt}`);
          assert.ok(Number(/\d+/.exec(label)[0]) >= 1, label);
        }
      }
    }
    assert.ok(others > 0, 'there are other attempts');
  });

  test('an archive that cannot be read, with the message of its problem', async () => {
    await open.turn(`/job/completed/${CUT}/overview`);
    const panel = page.locator('.error-panel');
    assert.match(await panel.innerText(), /The archive cannot be read\s+The archive of this job cannot be read: the archive is incomplete, its file ends after 5000 bytes/);
    assert.doesNotMatch(await main(), /never archived|not archived/);
    // The browser itself reports the 404.
    open.faults.splice(0, open.faults.length, ...open.faults.filter((fault) => !/ 404 /.test(fault)));
  });

  for (const [address, hint] of [
    ['/job/completed//overview', 'The id of a job has 32 hexadecimal digits'],
    ['/job/completed/overview/exceptions', 'The id of a job has 32 hexadecimal digits'],
    ['/application/completed/overview', 'The id of an application has 32 hexadecimal digits'],
    ['/runs/tasks?name=x', 'No page has the address #/runs/tasks'],
    ['//job', 'No page has the address #//job'],
  ]) {
    test(`a page at ${address}`, async () => {
      await open.turn(address);
      assert.match(await main(), /This page does not exist/);
      assert.ok((await main()).includes(hint), await main());
    });
  }
});

test('a missing directory is reported by the list and the page Server until it exists', async () => {
  const missing = join(temporary('missing'), 'completd-jobs');
  await withServer({ directories: [missing], options: { 'historyserver.archive.fs.refresh-interval': '200' } }, async () => {
    await begin('/job/completed', { clock: false });
    const main = page.locator('main');
    assert.match(await main.innerText(), /The archive directory does not exist\s+file:\/\/[^]*completd-jobs does not exist/);
    assert.doesNotMatch(await main.innerText(), /first listing/);
    await open.turn('/server');
    assert.match(await page.getByRole('table', { name: 'Archive directories' }).innerText(), /missing/);
    assert.match(await main.innerText(), /completd-jobs does not exist/);
    const readiness = page.getByRole('list', { name: 'Reasons' });
    assert.match(await readiness.innerText(), /completd-jobs does not exist[^]*directory-missing/);
    copy(join(FIXTURES[2], CUT), join(missing, CUT));
    await open.turn('/job/completed');
    await page.getByRole('table', { name: 'Completed Jobs' }).locator('tbody tr').waitFor({ timeout: 30_000 });
  });
});
