// Serves archives as the history server does, without Rust: for work on the pages and for their tests.
//   node dev/server.mjs [--port 8083] [--copies 1] [--dir DIRECTORY]…
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { readArchives } from './archives.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
export const DIST = join(here, '../../web-dist');
export const FIXTURES = ['flink-2.3.0', 'flink-2.2.1', 'flink-1.20.5'].map((version) => join(here, '../../tests/fixtures/archives', version));

/** The headers of the real server: a page that works under these works there. */
const SECURITY = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

/**
 * @param {{directories?: string[], copies?: number, status?: (base: object) => object, prefix?: string}} [options]
 * `status` may change what `api/v1/status` answers, to show the server in another state.
 */
export function historyServer({ directories = FIXTURES, copies = 1, status = (base) => base, prefix = '' } = {}) {
  const archives = readArchives(directories, copies);
  const started = Date.now();
  const overviews = new Map([
    ['/applications/overview', JSON.stringify({ applications: archives.applications })],
    ['/jobs/overview', JSON.stringify({ jobs: archives.jobs })],
    ['/config', JSON.stringify({ 'refresh-interval': 10_000, 'timezone-name': 'UTC', 'timezone-offset': 0, 'flink-version': '2.3.0', features: { 'web-history': true } })],
  ]);

  function answer(path) {
    const fixed = overviews.get(path) ?? archives.documents.get(path);
    if (fixed !== undefined) return fixed;
    if (path === '/api/v1/status') return JSON.stringify(status(baseStatus()));
    const log = /^\/jobs\/([^/]+)\/(?:jobmanager|taskmanagers\/([^/]+))\/log-url$/.exec(path);
    if (log) return JSON.stringify({ url: `https://logs.example.org/${log[1]}/${log[2] ?? 'jobmanager'}` });
    return undefined;
  }

  function baseStatus() {
    return {
      version: '0.0.0-development',
      started_at: started,
      figures: { applications: archives.applications.length, jobs: archives.jobs.length, pack_bytes: 734_003, gone_pack_bytes: 0, file_bytes: 2_097_152, problems: 1, evictions: 0 },
      refresh: {
        finished: 12,
        running_since: null,
        last_finished: started,
        next: Date.now() + 10_000,
        pending: 0,
        directories: directories.map((directory) => ({ url: `file://${directory}`, state: 'listed', reason: null, last_listed: started, units: 20 })),
      },
      problems: [
        {
          code: 'archive_unreadable',
          subject: { directory: `file://${directories[0]}`, cluster: 'prod-eu', application: 'abababababababababababababababab', file: 'application-summary' },
          reason: 'The file is not a JSON document: it ends within a string at byte 4,096.',
          since: started - 3_600_000,
          next_attempt: Date.now() + 60_000,
        },
      ],
    };
  }

  return createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (!url.pathname.startsWith(prefix)) return send(request, response, 404, 'text/plain', 'outside of the prefix');
    const path = decodeURIComponent(url.pathname.slice(prefix.length)) || '/';
    const json = answer(path.replace(/^\/v1/, ''));
    if (json !== undefined) return send(request, response, 200, 'application/json', json);
    const file = asset(path);
    if (file) return send(request, response, 200, file.type, file.body);
    return send(request, response, 404, 'application/json', JSON.stringify({ errors: [`Nothing is archived at ${path}.`] }));
  });
}

function asset(path) {
  const name = normalize(path === '/' ? 'index.html' : path.slice(1));
  if (name.startsWith('..')) return undefined;
  try {
    return { type: TYPES[extname(name)] ?? 'application/octet-stream', body: readFileSync(join(DIST, name)) };
  } catch {
    return undefined;
  }
}

function send(request, response, status, type, body) {
  const etag = `"${createHash('sha1').update(body).digest('hex').slice(0, 16)}"`;
  const headers = { ...SECURITY, 'content-type': type, etag, 'cache-control': 'no-cache' };
  if (status === 200 && request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const packed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '') ? gzipSync(body, { level: 1 }) : undefined;
  response.writeHead(status, packed ? { ...headers, 'content-encoding': 'gzip' } : headers).end(request.method === 'HEAD' ? undefined : (packed ?? body));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { directories: [] };
  let port = 8083;
  for (let at = 2; at < process.argv.length; at += 2) {
    const value = process.argv[at + 1];
    if (process.argv[at] === '--port') port = Number(value);
    else if (process.argv[at] === '--copies') options.copies = Number(value);
    else if (process.argv[at] === '--dir') options.directories.push(value);
    else throw new Error(`unknown option ${process.argv[at]}`);
  }
  if (options.directories.length === 0) options.directories = FIXTURES;
  historyServer(options).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
}
