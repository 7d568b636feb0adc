// Archives as a company has them: a nightly batch that became slower and then failed, an hourly job of Flink SQL with the long name that
// Flink SQL gives, and a streaming job of 40 vertices with one skewed subtask. Each run has a cluster of its own, as on Kubernetes.
// All names and all content are made here. As a program it writes them to a folder: node dev/realistic.mjs FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** An hour before the time of the tests, see browser.mjs. */
const LAST = Date.parse('2026-11-22T19:00:00Z');

export const NIGHTLY = 'nightly-orders-settlement';
export const SQL = 'insert-into_default_catalog.default_database.hourly_orders_enriched_by_customer_segment_and_region';
export const STREAM = 'clickstream-sessions';
/** The number of runs of each. */
export const RUNS = { nightly: 61, sql: 48, stream: 1 };
/** The vertex and the subtask of the streaming job that have most of the records. */
export const SKEWED = { vertex: 27, subtask: 11 };

/** An id that is always the same. */
const hex = (kind, number, part = 0) => `${kind}${part}`.padEnd(4, '0') + number.toString(16).padStart(28, '0');
const envelope = (documents) => JSON.stringify({ archive: documents.map(([path, body]) => ({ path, json: JSON.stringify(body) })) });
const zeros = { created: 0, scheduled: 0, deploying: 0, initializing: 0, running: 0, finished: 0, canceling: 0, canceled: 0, failed: 0, reconciling: 0 };

/** Writes all archives below `root`. Returns the ids of the jobs by name, oldest first. */
export function writeRealistic(root) {
  const jobs = { nightly: [], sql: [], stream: [] };
  for (let run = 0; run < RUNS.nightly; run += 1) {
    const failed = run === RUNS.nightly - 1;
    // The last two weeks became slower.
    const duration = Math.round((14 + (run % 5) * 0.4 + Math.max(0, run - 46) * 1.1) * 60_000);
    const start = LAST - 17 * HOUR - (RUNS.nightly - 1 - run) * DAY;
    jobs.nightly.push(write(root, { kind: 'a', run, cluster: `nightly-orders-settlement-${29_000_000 + run * 1440}-x${(run * 7919 + 104_729).toString(36)}`, name: NIGHTLY, type: 'BATCH', start, duration, vertices: batch(), failure: failed ? FAILURE : null, parallelism: 8 + (run > 46 ? 4 : 0) }));
  }
  for (let run = 0; run < RUNS.sql; run += 1) {
    jobs.sql.push(write(root, { kind: 'b', run, cluster: `sql-hourly-${(run * 15_485_863 + 32_452_843).toString(36)}`, name: SQL, type: 'BATCH', start: LAST - (RUNS.sql - run) * HOUR, duration: 180_000 + (run % 7) * 9000, vertices: batch(), failure: null, parallelism: 4 }));
  }
  jobs.stream.push(write(root, { kind: 'c', run: 0, cluster: 'clickstream-sessions-7d9c5b', name: STREAM, type: 'STREAMING', start: LAST - 9 * DAY, duration: 9 * DAY - HOUR, vertices: stream(), failure: null, state: 'CANCELED', parallelism: 16, checkpoints: true }));
  return jobs;
}

const FAILURE = [
  'org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy',
  '\tat org.apache.flink.runtime.executiongraph.failover.ExecutionFailureHandler.handleFailure(ExecutionFailureHandler.java:180)',
  'Caused by: java.lang.RuntimeException: The batch of settlements could not be written',
  '\tat com.example.settlement.SettlementWriter.flush(SettlementWriter.java:88)',
  'Caused by: org.postgresql.util.PSQLException: ERROR: deadlock detected',
  '\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)',
  '\tat com.example.settlement.SettlementWriter.flush(SettlementWriter.java:81)',
  '',
].join('\n');

const batch = () => ['Source: orders', 'Join: orders with customers', 'Sink: settlements'].map((name, index, all) => ({ name, parallelism: 4, inputs: index > 0 ? [index - 1] : [], busy: index === 1 ? 0.8 : 0.3, backpressured: index === 0 ? 0.6 : 0, blocking: true, last: index === all.length - 1 }));

/** 40 vertices: eight lines of five that meet at one skewed vertex. */
function stream() {
  return Array.from({ length: 40 }, (_, index) => {
    const skewed = index === SKEWED.vertex;
    const inputs = index < 8 ? [] : index === 39 ? [31, 32, 33, 34, 35, 36, 37, 38] : [index - 8];
    return { name: index < 8 ? `Source: clicks-${index}` : index === 39 ? 'Sink: sessions' : skewed ? 'Window: sessions by user' : `Map: step ${index}`, parallelism: 16, inputs, busy: skewed ? 0.97 : 0.25, backpressured: index === SKEWED.vertex - 8 || index === SKEWED.vertex - 16 ? 0.7 : 0.02, skewed };
  });
}

function write(root, { kind, run, cluster, name, type, start, duration, vertices, failure, state, parallelism, checkpoints }) {
  const [application, job] = [hex(kind, run, 1), hex(kind, run, 2)];
  const end = start + duration;
  const status = failure ? 'FAILED' : (state ?? 'FINISHED');
  const tasks = vertices.reduce((sum, one) => sum + one.parallelism, 0);
  const counts = { ...zeros, [status.toLowerCase()]: tasks };
  const idOf = (index) => hex('d', index, 4);
  const made = vertices.map((one, index) => vertexOf(one, idOf(index), start, duration, status));
  const overview = { jid: job, name, jobType: type, schedulerType: 'Default', 'start-time': start, 'end-time': end, duration, state: status, 'last-modification': end, tasks: { total: tasks, ...counts }, 'pending-operators': 0 };
  const details = {
    jid: job, name, isStoppable: false, state: status, 'job-type': type, schedulerType: 'Default', 'application-id': application, 'start-time': start, 'end-time': end, duration, maxParallelism: -1, now: end,
    timestamps: { INITIALIZING: start, CREATED: start + 200, RUNNING: start + 400, [status]: end },
    vertices: made.map(({ subtasks: _, ...vertex }) => vertex),
    'status-counts': Object.fromEntries(Object.entries({ ...zeros, [status.toLowerCase()]: made.length }).map(([key, count]) => [key.toUpperCase(), count])),
    plan: { jid: job, name, type, nodes: vertices.map((one, index) => ({ id: idOf(index), parallelism: one.parallelism, operator: '', operator_strategy: '', description: one.name, inputs: one.inputs.map((from, num) => ({ num, id: idOf(from), ship_strategy: one.skewed ? 'HASH' : 'FORWARD', exchange: one.blocking ? 'blocking' : 'pipelined_bounded' })), optimizer_properties: {} })) },
    'pending-operators': 0,
  };
  const entry = failure && { exceptionName: 'org.apache.flink.runtime.JobException', stacktrace: failure, timestamp: end - 500, failureLabels: {}, taskName: `${vertices[2].name} (3/4) - execution #0`, endpoint: 'taskmanager-2:6122', taskManagerId: `${cluster}-taskmanager-1-2`, concurrentExceptions: [] };
  const documents = [
    ['/jobs/overview', { jobs: [overview] }],
    [`/jobs/${job}`, details],
    [`/jobs/${job}/config`, { jid: job, name, 'execution-config': { 'restart-strategy': 'Cluster level default restart strategy', 'job-parallelism': parallelism, 'object-reuse-mode': false, 'user-config': { 'settlement.date': new Date(start).toISOString().slice(0, 10) } } }],
    [`/jobs/${job}/exceptions`, { exceptionHistory: { entries: entry ? [entry] : [], truncated: false } }],
    [`/jobs/${job}/plan`, { plan: details.plan }],
    [`/jobs/${job}/accumulators`, { 'job-accumulators': [], 'user-task-accumulators': [], 'serialized-user-task-accumulators': {} }],
    [`/jobs/${job}/jobmanager/config`, [{ key: 'jobmanager.rpc.port', value: `${6123 + run}` }, { key: 'kubernetes.cluster-id', value: cluster }, { key: 'taskmanager.memory.process.size', value: '4g' }]],
    ...made.map(({ id, name: own, parallelism: count, subtasks }) => [`/jobs/${job}/vertices/${id}`, { id, name: own, parallelism: count, maxParallelism: 128, now: end, subtasks }]),
    ...(checkpoints ? checkpointsOf(job, end) : [[`/jobs/${job}/checkpoints`, { errors: ['Checkpointing has not been enabled.'] }]]),
  ];
  const folder = join(root, cluster, 'applications', application);
  mkdirSync(join(folder, 'jobs'), { recursive: true });
  writeFileSync(join(folder, 'jobs', job), envelope(documents));
  const whole = `SingleJobApplication(${name})`;
  const summary = { id: application, name: whole, status, 'start-time': start, 'end-time': end, duration };
  writeFileSync(
    join(folder, 'application-summary'),
    envelope([
      ['/applications/overview', { applications: [{ ...summary, jobs: { [status]: 1 } }] }],
      [`/applications/${application}`, { ...summary, timestamps: { CREATED: start, RUNNING: start + 100, [status]: end }, jobs: [overview] }],
      [`/applications/${application}/exceptions`, { exceptionHistory: { entries: entry ? [{ ...entry, jobId: job }] : [] } }],
    ]),
  );
  return { application, job, cluster };
}

function vertexOf({ name, parallelism, busy, backpressured, skewed, inputs }, id, start, duration, status) {
  const subtasks = Array.from({ length: parallelism }, (_, subtask) => {
    const share = skewed ? (subtask === SKEWED.subtask ? 11 : 0.33) : 1 + (subtask % 3) * 0.05;
    const load = skewed ? (subtask === SKEWED.subtask ? 0.98 : 0.2) : busy;
    const records = Math.round(90_000 * share);
    return {
      subtask, status, attempt: 0, endpoint: `taskmanager-${1 + (subtask % 4)}:6122`, 'start-time': start + 500, 'end-time': start + duration, duration: duration - 500,
      metrics: metrics(inputs.length > 0 ? records : 0, records, duration, load, backpressured),
      'taskmanager-id': `taskmanager-1-${1 + (subtask % 4)}`,
      'status-duration': { CREATED: 10, SCHEDULED: 100, DEPLOYING: 200, INITIALIZING: 190, RUNNING: duration - 1000 },
    };
  });
  const sum = (key) => subtasks.reduce((all, one) => all + one.metrics[key], 0);
  return {
    id, slotSharingGroupId: hex('e', 0), name, maxParallelism: 128, parallelism, status, 'start-time': start + 500, 'end-time': start + duration, duration: duration - 500,
    tasks: Object.fromEntries(Object.entries({ ...zeros, [status.toLowerCase()]: parallelism }).map(([key, count]) => [key.toUpperCase(), count])),
    metrics: { ...metrics(sum('read-records'), sum('write-records'), duration * parallelism, busy, backpressured), 'accumulated-busy-time': sum('accumulated-busy-time'), 'accumulated-idle-time': sum('accumulated-idle-time') },
    subtasks,
  };
}

function metrics(read, written, time, busy, backpressured) {
  const pressed = Math.min(backpressured, 1 - busy);
  return {
    'read-bytes': read * 120, 'read-bytes-complete': true, 'write-bytes': written * 120, 'write-bytes-complete': true, 'read-records': read, 'read-records-complete': true, 'write-records': written, 'write-records-complete': true,
    'accumulated-backpressured-time': Math.round(time * pressed), 'accumulated-idle-time': Math.round(time * (1 - busy - pressed)), 'accumulated-busy-time': Math.round(time * busy),
  };
}

function checkpointsOf(job, end) {
  const history = Array.from({ length: 10 }, (_, back) => ({
    className: 'completed', id: 900 - back, status: 'COMPLETED', is_savepoint: false, savepointFormat: null, trigger_timestamp: end - (back + 1) * 60_000, latest_ack_timestamp: end - (back + 1) * 60_000 + 41_000, checkpointed_size: 8_000_000_000, state_size: 42_000_000_000, end_to_end_duration: 41_000 - back * 900, alignment_buffered: 0, processed_data: 0, persisted_data: 0, num_subtasks: 640, num_acknowledged_subtasks: 640, checkpoint_type: 'CHECKPOINT', tasks: {}, external_path: `s3://checkpoints/${job}/chk-${900 - back}`, discarded: false,
  }));
  const figures = (value) => ({ min: value, max: value, avg: value, p50: value, p90: value, p95: value, p99: value, p999: value });
  const summary = { checkpointed_size: figures(8e9), state_size: figures(42e9), end_to_end_duration: figures(36_950), alignment_buffered: figures(0), processed_data: figures(0), persisted_data: figures(0) };
  return [
    [`/jobs/${job}/checkpoints`, { counts: { restored: 0, total: 900, in_progress: 0, completed: 900, failed: 0 }, summary, latest: { completed: history[0], savepoint: null, failed: null, restored: null }, history }],
    [`/jobs/${job}/checkpoints/config`, { mode: 'exactly_once', interval: 60_000, timeout: 600_000, min_pause: 0, max_concurrent: 1, externalization: { enabled: true, delete_on_cancellation: false }, state_backend: 'EmbeddedRocksDBStateBackend', checkpoint_storage: 'FileSystemCheckpointStorage', unaligned_checkpoints: false, tolerable_failed_checkpoints: 3, aligned_checkpoint_timeout: 0, checkpoints_after_tasks_finish: true, state_changelog_enabled: false, changelog_periodic_materialization_interval: 600_000, changelog_storage: 'memory' }],
    ...history.map((one) => [`/jobs/${job}/checkpoints/details/${one.id}`, one]),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  if (!folder) {
    console.error('The folder is missing. Give the folder to write the archives to: node dev/realistic.mjs FOLDER');
    process.exit(2);
  }
  writeRealistic(folder);
}
