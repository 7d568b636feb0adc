// Starts the history server over archives, for the browser tests and for pictures.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const BINARY = process.env.HISTORYSERVER ?? join(root, 'target/debug/historyserver');
export const FIXTURES = ['flink-2.3.0', 'flink-2.2.1', 'flink-1.20.5'].map((version) => join(root, 'tests/fixtures/archives', version));

const LOGS = {
  'historyserver.log.jobmanager.url-pattern': 'https://logs.example.org/<jobid>',
  'historyserver.log.taskmanager.url-pattern': 'https://logs.example.org/<jobid>/<tmid>',
};

/**
 * Starts the server and waits until it has read the archives. It runs until `close`.
 *
 * @param {{directories?: string[], options?: Record<string, string>, ready?: (status: any) => boolean}} [choice]
 */
export async function startServer({ directories = FIXTURES, options = {}, ready = settled } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'historyserver-web-'));
  const all = { 'historyserver.archive.fs.dir': directories.join(','), 'historyserver.data.dir': data, 'historyserver.web.port': '0', ...LOGS, ...options };
  const child = spawn(BINARY, Object.entries(all).flatMap(([key, value]) => ['-D', `${key}=${value}`]), { cwd: data, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  try {
    const url = await listening(child, ended);
    while (!ready(await (await fetch(`${url}api/v1/status`)).json())) await new Promise((resolve) => setTimeout(resolve, 50));
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** True when a refresh has finished and no archive is pending. */
function settled({ refresh }) {
  return refresh.finished > 0 && refresh.pending === 0;
}

function listening(child, ended) {
  return new Promise((resolve, reject) => {
    let log = '';
    const read = (part) => {
      log += part;
      const found = /listening at (http:\/\/[\d.:]+)/.exec(log);
      if (found) resolve(`${found[1]}/`);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('error', (error) => reject(new Error(`${BINARY} cannot be started, build it with cargo build: ${error.message}`)));
    void ended.then((code) => reject(new Error(`the server ended with ${code} before it listened:\n${log}`)));
  });
}
