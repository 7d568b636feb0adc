// The documents of the server at /docs/, and the link to them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, open, page, server, useNewPages, useServer } from './shared.mjs';

useServer();
useNewPages();

test('the menu leads to the documents, whose pages are shown without a fault', async () => {
  await begin('/server');
  await page.getByRole('link', { name: 'Documentation' }).click();
  await page.waitForURL(`${server.url}docs/`);
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.locator('main a[href$="configuration.html"], nav a[href$="configuration.html"]').first().click();
  await page.waitForURL(`${server.url}docs/configuration.html`);
  assert.match(await page.locator('main').innerText(), /historyserver\.archive\.fs\.dir/);
  assert.deepEqual(open.faults, []);
});
