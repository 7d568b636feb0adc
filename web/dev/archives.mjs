// Reads archive directories as Flink writes them, for the development server and for the browser tests.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Every document of every archive below the directories, and the merged overviews.
 *
 * @param {string[]} directories
 * @param {number} copies how many times each application and job is listed, for long lists
 */
export function readArchives(directories, copies = 1) {
  /** @type {Map<string, string>} */
  const documents = new Map();
  const applications = [];
  const jobs = [];
  for (const directory of directories) {
    for (const file of filesBelow(directory)) {
      for (const { path, json } of JSON.parse(readFileSync(file, 'utf8')).archive) {
        if (path === '/applications/overview') applications.push(...JSON.parse(json).applications);
        else if (path === '/jobs/overview') jobs.push(...JSON.parse(json).jobs);
        else documents.set(path, json);
      }
    }
  }
  const newest = (a, b) => b['end-time'] - a['end-time'];
  return {
    documents,
    applications: multiply(applications, copies, 'id').sort(newest),
    jobs: multiply(jobs, copies, 'jid').sort(newest),
  };
}

function* filesBelow(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

/** The later copies carry other ids and lie further back; only the first can be opened. */
function multiply(rows, copies, id) {
  const all = [...rows];
  for (let copy = 1; copy < copies; copy += 1) {
    for (const [index, row] of rows.entries()) {
      const back = copy * 977_000 + index * 13_337;
      all.push({
        ...row,
        [id]: (copy.toString(16).padStart(8, '0') + row[id]).slice(0, 32),
        name: `${row.name} ${copy}`,
        'start-time': row['start-time'] - back,
        'end-time': row['end-time'] - back,
      });
    }
  }
  return all;
}
