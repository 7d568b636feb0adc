// The set-up of the browser tests: a server over archives, Chromium, and the page of the current test. Each file runs in its own process,
// and calls `useServer` or `useBrowser`, and `useNewPages` or `useOnePage`.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { launch, openPage, startServer } from './support.mjs';

export let server;
export let browser;
/** The page of the current test with its faults, as `openPage` returns it. */
export let open;
export let page;

let prepared = Promise.resolve();

/** Runs a step before the tests of a file, after the steps before it. The test runner itself starts all such hooks of a file at once. */
export function prepare(step) {
  before(() => (prepared = prepared.then(step)));
}

/** Starts Chromium before the tests of a file and stops it after them. */
export function useBrowser() {
  prepare(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
}

/** Starts Chromium and a server. `options` returns the options of `startServer`; the default is the fixture archives. */
export function useServer(options = () => ({})) {
  prepare(async () => {
    server = await startServer(options());
  });
  useBrowser();
  after(() => server?.close());
}

/** Each test opens its own page with `begin`. It is closed after the test, which fails if the page has faults. */
export function useNewPages() {
  afterEach(closePage);
}

/** All tests of a file use one page. A test fails if it leaves faults. */
export function useOnePage(hash = '/server', options = {}) {
  prepare(() => begin(hash, options));
  afterEach(() => assert.deepEqual(open.faults.splice(0), []));
  after(() => open?.close());
}

/** Opens a page, at an address if there is one. */
export async function begin(hash, options, over = server) {
  open = await openPage(browser, over, options);
  page = open.page;
  if (hash) await open.go(hash);
}

async function closePage() {
  const closed = open;
  open = undefined;
  await closed?.close();
  assert.deepEqual(closed?.faults ?? [], []);
}

/** Runs `act` with another server, over which it may `begin` a page. The page is closed before the server stops. */
export async function withServer(options, act) {
  const outer = { server, open, page };
  server = await startServer(options);
  open = undefined;
  try {
    await act(server);
    await closePage();
  } finally {
    await open?.close();
    await server.close();
    ({ server, open, page } = outer);
  }
}

const directories = [];
after(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

/** Creates a directory that is removed after the tests of the file. */
export function temporary(name) {
  const directory = mkdtempSync(join(tmpdir(), `historyserver-${name}-`));
  directories.push(directory);
  return directory;
}
