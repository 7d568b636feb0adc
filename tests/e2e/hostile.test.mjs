// Archives are untrusted: every field is shown as text, runs no script and breaks no layout.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, DESKTOP, IDS, NARROW, openPage, PAGES, settle } from './support.mjs';
import { browser, server, useServer } from './shared.mjs';

const HOSTILE = {
  markup: '<img src=x onerror="alert(1)"><script>alert(2)</script><svg onload=alert(3)><a href="javascript:alert(4)">x</a></td></tr></table><style>*{display:none}</style>',
  quotes: `"'><\`\${alert(1)}{{alert(1)}}{@html x} --%> ]]> <!-- &lt;b&gt; &amp; %3Cscript%3E \\u003cscript\\u003e`,
  bidi: 'safe \u202Etxt.exe\u202C \u2066\u2067\u2068 \u200F\u200E\u061C end \u202D\u202E never closed',
  long: 'W'.repeat(4000),
  spaced: `${'many words '.repeat(400)}`,
  lines: `one\ntwo\r\nthree\u2028four\u0000\u0007\u001b[31m${'\n'.repeat(200)}end`,
  unicode: `${'Z̷̡̛̮̗'.repeat(80)} 日本語 🚀👩‍👩‍👧‍👦 \uD800 ﷽`,
};

/** Members that the page sends back to the server and that therefore stay: ids and cursors. */
const KEPT = /^(?:next|id|jid|jobVertexId|job_vertex_id|slotSharingGroupId|application-id|jobId|className|rescaleUuid|resourceRequirementsUuid)$/;

function poison(value, text, key = '') {
  // The first items are repeated, because ids may occur twice. Repeating long lists would only take time.
  if (Array.isArray(value)) return [...value, ...value.slice(0, 3)].map((one) => poison(one, text, key));
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, poison(one, text, name)]));
  }
  return typeof value === 'string' && !KEPT.test(key) ? text : value;
}

useServer();

const DOCUMENTS = /^\/(?:jobs|applications)\/|^\/api\/v1\//;
/** All pages, except ones that look the same when every text is hostile. */
const VISITED = PAGES.filter(({ name }) => !['unknown', 'applications-failed', 'applications-none'].includes(name));

for (const [name, text] of Object.entries(HOSTILE)) {
  test(`${name} in every field`, async () => {
    const open = await openPage(browser, server);
    const { page } = open;
    await page.route(
      (url) => DOCUMENTS.test(url.pathname) && !url.pathname.endsWith('log-url'),
      async (route) => {
        const answer = await route.fetch();
        if (!answer.ok()) return route.fulfill({ response: answer });
        return route.fulfill({ response: answer, json: poison(await answer.json(), text) });
      },
    );
    await page.route('**/log-url', (route) => route.fulfill({ json: { url: 'javascript:alert(5)' } }));
    await open.display({ viewport: DESKTOP });
    await open.go('/');
    for (const { name: where, hash } of VISITED) {
      await open.turn(hash);
      for (const viewport of [NARROW, DESKTOP]) {
        await open.display({ viewport });
        await assertFits(page, `${name} on ${where}, ${viewport.width} px`);
      }
      assert.deepEqual(open.faults, [], where);
      assert.equal(await page.locator('main img, main script, main iframe, main style, main a[href^="javascript"], main [onerror], main [onload]').count(), 0, where);
      assert.equal(await page.locator('a[target="_blank"]:not([href^="http"]):not(.link)').count(), 0, 'all links have the scheme http or https');
    }
    if (name === 'markup') await assertAccessible(page, name);
    await open.close();
  });
}

test('the hostile fixture is shown as text', async () => {
  const open = await openPage(browser, server);
  const { page } = open;
  await open.go(`/job/completed/${IDS.hostile}/overview`);
  assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /<script>alert\(1\)<\/script>/);
  await page.getByRole('table', { name: 'Vertices of the job' }).getByRole('link').first().click();
  await settle(page);
  assert.match(await page.locator('pre.description').innerText(), /^Source: src <img src=x onerror=alert\(1\)>\n\+- desc <b>bold<\/b> & "q"\s+end$/);
  assert.deepEqual(open.faults, []);
  await open.close();
});
