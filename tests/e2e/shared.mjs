// What the tests of one file share: a server over the fixture archives, Chromium, and the page of the test that runs. Each file runs in
// a process of its own.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { launch, openPage, startServer } from './support.mjs';

export let server;
export let browser;
/** The page of the test that runs, with its faults. */
export let open;
export let page;

/** Starts the server and Chromium before the tests of a file, and stops them after. */
export function serving() {
  before(async () => {
    server = await startServer();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
}

/** Closes what each test opened with `begin`, in which nothing may have gone wrong. */
export function aPageForEachTest() {
  afterEach(async () => {
    assert.deepEqual(open.faults, []);
    await open.close();
  });
}

/** Opens the page of a test, at an address or not yet at any. */
export async function begin(hash, options, over = server) {
  open = await openPage(browser, over, options);
  page = open.page;
  if (hash) await open.go(hash);
}
