/**
 * The shapes and types of Flink's REST documents in archives of 1.2 to 2.3. Members that a version may lack are optional.
 */
import { encodePart } from '../encode';
import { figure, flag, list, must, number, object, or, orEmpty, plain, record, scalar, text, type Read } from './shape';

/** Counts by name. */
const counts = record(number);
const figures = record(figure);

const jobOverview = object({
  jid: or(text, ''),
  name: or(text, ''),
  state: or(text, ''),
  'start-time': number,
  'end-time': number,
  duration: number,
  tasks: counts,
});

export const application = object({
  id: text,
  name: or(text, ''),
  status: must(text, ''),
  'start-time': number,
  'end-time': number,
  duration: number,
  timestamps: counts,
  jobs: must(list(jobOverview), []),
});

const exceptionMembers = {
  exceptionName: text,
  stacktrace: or(text, ''),
  timestamp: number,
  failureLabels: record(scalar),
  taskName: text,
  endpoint: text,
  /** The name of `endpoint` since 2.0. */
  location: text,
  taskManagerId: text,
  /** Only in an application's exceptions. */
  jobId: text,
};

export const exceptions = object({
  exceptionHistory: object({
    entries: list(object({ ...exceptionMembers, concurrentExceptions: list(object(exceptionMembers)) })),
    truncated: flag,
  }),
  /** 1.x only, as are the three below. */
  'root-exception': text,
  timestamp: number,
  'all-exceptions': list(object({ exception: or(text, ''), task: text, location: text, endpoint: text, timestamp: number, taskManagerId: text })),
  truncated: flag,
});

const metrics = object({
  'read-bytes': figure,
  'read-bytes-complete': flag,
  'write-bytes': figure,
  'write-bytes-complete': flag,
  'read-records': figure,
  'read-records-complete': flag,
  'write-records': figure,
  'write-records-complete': flag,
  'accumulated-backpressured-time': figure,
  'accumulated-idle-time': figure,
  'accumulated-busy-time': figure,
});

const vertex = object({
  id: must(text, ''),
  name: or(text, ''),
  status: must(text, ''),
  parallelism: number,
  maxParallelism: number,
  slotSharingGroupId: text,
  'start-time': number,
  'end-time': number,
  duration: number,
  tasks: counts,
  metrics: orEmpty(metrics),
});

const planInput = object({ id: or(text, ''), ship_strategy: text, exchange: text });
const planNode = object({ id: or(text, ''), parallelism: number, operator: text, description: text, inputs: list(planInput) });
/** `job_vertex_id` is missing if the operator had no vertex yet. */
const streamNode = object({ id: or(text, ''), parallelism: number, operator: text, description: text, inputs: list(planInput), job_vertex_id: text });

export const job = object({
  jid: or(text, ''),
  name: or(text, ''),
  state: must(text, ''),
  'application-id': text,
  'job-type': text,
  schedulerType: text,
  'start-time': number,
  'end-time': number,
  duration: number,
  timestamps: counts,
  vertices: must(list(vertex), []),
  'status-counts': counts,
  plan: object({ type: text, nodes: list(planNode) }),
  'stream-graph': object({ nodes: list(streamNode) }),
  'pending-operators': number,
});

const attemptMembers = {
  subtask: or(number, 0),
  status: or(text, ''),
  attempt: or(number, 0),
  endpoint: text,
  host: text,
  'start-time': number,
  'end-time': number,
  duration: number,
  metrics: orEmpty(metrics),
  'taskmanager-id': text,
  'status-duration': figures,
};

/** One attempt of a subtask. */
export const attempt = object({ ...attemptMembers, 'other-concurrent-attempts': list(object(attemptMembers)) });

/** For each figure min, p25, avg, median, p75, p95, max and sum. */
const aggregated = object({ metrics: record(figures), 'status-duration': record(figures) });

export const vertexDetails = object({ maxParallelism: number, subtasks: must(list(attempt), []), aggregated });

const taskManager = object({
  endpoint: text,
  host: text,
  status: or(text, ''),
  'start-time': number,
  'end-time': number,
  duration: number,
  metrics: orEmpty(metrics),
  'status-counts': counts,
  'taskmanager-id': text,
  aggregated,
});

export const taskManagers = object({ taskmanagers: must(list(taskManager), []) });

const subtaskTimes = object({ subtask: or(number, 0), duration: number, timestamps: orEmpty(counts) });

export const vertexTimes = object({ subtasks: must(list(subtaskTimes), []) });

const accumulator = object({ name: or(text, ''), type: or(text, ''), value: or(scalar, '') });

export const jobAccumulators = object({ 'user-task-accumulators': list(accumulator) });
export const attemptAccumulators = object({ 'user-accumulators': list(accumulator) });

/** The configuration of a cluster. */
export const clusterConfiguration = list(object({ key: or(scalar, ''), value: or(scalar, '') }));

export const jobConfiguration = object({
  'execution-config': object({
    'execution-mode': text,
    'restart-strategy': text,
    'job-parallelism': number,
    'object-reuse-mode': flag,
    'user-config': record(or(scalar, 'null')),
  }),
});

export const environment = object({ jvm: object({ version: text, arch: text, options: list(text) }), classpath: list(text) });

const summary = object({ min: figure, max: figure, avg: figure, p50: figure, p90: figure, p95: figure, p99: figure, p999: figure });

const checkpointSizes = {
  latest_ack_timestamp: number,
  checkpointed_size: figure,
  state_size: figure,
  end_to_end_duration: figure,
  processed_data: figure,
  persisted_data: figure,
  num_subtasks: number,
  num_acknowledged_subtasks: number,
};

export const checkpoint = object({
  ...checkpointSizes,
  id: or(number, 0),
  status: or(text, ''),
  is_savepoint: or(flag, false),
  savepointFormat: text,
  trigger_timestamp: number,
  checkpoint_type: text,
  tasks: record(object(checkpointSizes)),
  external_path: text,
  discarded: flag,
  failure_timestamp: number,
  failure_message: text,
});

/** An empty object in Flink 1.2 to 1.4 if the job has no checkpoints. */
export const checkpoints = object({
  counts: object({ restored: number, total: number, in_progress: number, completed: number, failed: number }),
  summary: orEmpty(record(summary)),
  latest: orEmpty(
    object({
      completed: checkpoint,
      savepoint: checkpoint,
      failed: checkpoint,
      restored: object({ id: or(number, 0), restore_timestamp: number, is_savepoint: or(flag, false), external_path: text }),
    }),
  ),
  history: list(checkpoint),
});

export const checkpointSubtasks = object({
  summary: object({
    checkpointed_size: summary,
    state_size: summary,
    end_to_end_duration: summary,
    checkpoint_duration: object({ sync: summary, async: summary }),
    alignment: object({ processed: summary, persisted: summary, duration: summary }),
    start_delay: summary,
  }),
  subtasks: must(
    list(
      object({
        index: or(number, 0),
        status: or(text, ''),
        ack_timestamp: number,
        end_to_end_duration: figure,
        checkpointed_size: figure,
        state_size: figure,
        checkpoint: object({ sync: figure, async: figure }),
        alignment: object({ processed: figure, persisted: figure, duration: figure }),
        start_delay: figure,
        unaligned_checkpoint: flag,
        aborted: flag,
      }),
    ),
    [],
  ),
});

export const checkpointConfiguration = object({
  mode: text,
  interval: figure,
  timeout: figure,
  min_pause: figure,
  max_concurrent: figure,
  externalization: object({ enabled: flag, delete_on_cancellation: flag }),
  state_backend: text,
  checkpoint_storage: text,
  unaligned_checkpoints: flag,
  tolerable_failed_checkpoints: figure,
  aligned_checkpoint_timeout: figure,
  checkpoints_after_tasks_finish: flag,
  state_changelog_enabled: flag,
  changelog_periodic_materialization_interval: figure,
  changelog_storage: text,
});

const resourceProfile = object({ cpuCores: figure, taskHeapMemory: figure, taskOffHeapMemory: figure, managedMemory: figure, networkMemory: figure });

export const rescale = object({
  rescaleUuid: or(text, ''),
  resourceRequirementsUuid: text,
  rescaleAttemptId: number,
  triggerCause: text,
  terminalState: text,
  terminatedReason: text,
  startTimestampInMillis: number,
  endTimestampInMillis: number,
  vertices: record(
    object({
      jobVertexName: text,
      slotSharingGroupName: text,
      preRescaleParallelism: number,
      postRescaleParallelism: number,
      desiredParallelism: number,
      sufficientParallelism: number,
    }),
  ),
  slots: record(
    object({
      slotSharingGroupId: text,
      slotSharingGroupName: text,
      preRescaleSlots: number,
      postRescaleSlots: number,
      desiredSlots: number,
      minimalRequiredSlots: number,
      requestResourceProfile: resourceProfile,
      acquiredResourceProfile: resourceProfile,
    }),
  ),
  schedulerStates: list(
    object({ state: or(text, ''), enterTimestampInMillis: number, leaveTimestampInMillis: number, durationInMillis: figure, stringifiedException: text }),
  ),
});

export const rescalesOverview = object({
  rescalesCounts: orEmpty(object({ ignored: number, inProgress: number, completed: number, failed: number })),
  latest: orEmpty(object({ completed: rescale, failed: rescale, ignored: rescale })),
});

export const rescalesHistory = list(rescale);

export const rescalesSummary = object({
  rescalesDurationStatsInMillis: summary,
  completedRescalesDurationStatsInMillis: summary,
  ignoredRescalesDurationStatsInMillis: summary,
  failedRescalesDurationStatsInMillis: summary,
});

export const rescalesConfiguration = record(plain);

export type Counts = Read<typeof counts>;
export type JobOverview = Read<typeof jobOverview>;
export type Application = Read<typeof application>;
export type Exceptions = Read<typeof exceptions>;
export type ExceptionEntry = NonNullable<NonNullable<Exceptions['exceptionHistory']>['entries']>[number];
export type IoMetrics = Read<typeof metrics>;
export type JobVertex = Read<typeof vertex>;
export type PlanNode = Read<typeof planNode>;
export type Job = Read<typeof job>;
export type Attempt = Read<typeof attempt>;
export type Aggregate = Read<typeof figures>;
export type Aggregated = Read<typeof aggregated>;
export type VertexDetails = Read<typeof vertexDetails>;
export type TaskManager = Read<typeof taskManager>;
export type SubtaskTimes = Read<typeof subtaskTimes>;
export type Accumulator = Read<typeof accumulator>;
export type Summary = Read<typeof summary>;
export type Checkpoint = Read<typeof checkpoint>;
export type CheckpointSizes = Pick<Checkpoint, keyof typeof checkpointSizes>;
export type Checkpoints = Read<typeof checkpoints>;
export type CheckpointSubtask = Read<typeof checkpointSubtasks>['subtasks'][number];
export type ResourceProfile = Read<typeof resourceProfile>;
export type Rescale = Read<typeof rescale>;
export type RescalesOverview = Read<typeof rescalesOverview>;

export const jobPath = (job: string, rest = ''): string => `jobs/${encodePart(job)}${rest}`;
export const applicationPath = (application: string, rest = ''): string => `applications/${encodePart(application)}${rest}`;
export const vertexPath = (job: string, vertex: string, rest = ''): string => jobPath(job, `/vertices/${encodePart(vertex)}${rest}`);
