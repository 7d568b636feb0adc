// Serves Flink's dashboard as its own history server does, and hands every other request to the server under test,
// keeping a record of what was asked and answered.

import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const TYPES = { ".html": "text/html", ".js": "application/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".ttf": "font/ttf" };

/** The requests to the server under test, in their order; the status is undefined until it has answered. */
export class Record {
  answers = [];

  /** @returns {string[]} paths, without their queries, that have been answered since this position */
  answered(since) {
    return this.answers.slice(since).filter((answer) => answer.status !== undefined).map((answer) => answer.path.split("?")[0]);
  }

  get quiet() {
    return this.answers.every((answer) => answer.status !== undefined);
  }
}

/**
 * @param {string} dashboard directory of the dashboard's files
 * @param {string} base URL of the server under test
 */
export async function serve(dashboard, base) {
  const files = new Map();
  for (const entry of fs.readdirSync(dashboard, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      const file = path.join(entry.parentPath, entry.name);
      files.set(`/${path.relative(dashboard, file)}`, file);
    }
  }
  const record = new Record();
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    const asked = new URL(request.url, "http://localhost").pathname;
    const file = files.get(asked === "/" ? "/index.html" : asked);
    if (file) {
      response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" });
      fs.createReadStream(file).pipe(response);
      return;
    }
    const answer = { path: request.url, status: undefined };
    record.answers.push(answer);
    const forwarded = http.request(new URL(request.url, base), { agent, method: request.method, headers: request.headers }, (from) => {
      response.writeHead(from.statusCode, from.headers);
      from.pipe(response);
      from.on("end", () => (answer.status = from.statusCode));
    });
    forwarded.on("error", (error) => {
      answer.status = 0;
      response.destroy(error);
    });
    // The dashboard gives up requests of a tab that is left.
    response.on("close", () => (answer.status ??= "given up"));
    request.pipe(forwarded);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const stop = () => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, record, stop };
}
