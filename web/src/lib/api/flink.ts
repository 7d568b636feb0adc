/** Flink's REST documents as archives of 1.20 to 2.3 hold them. Whatever an older or newer version may lack is optional. */
import { encodePart } from '../encode';

/** A long that may be -1 or 2^63-1, or the word "NaN". */
export type Figure = number | 'NaN' | null;
export type Counts = Record<string, number>;

export interface DashboardConfiguration {
  'refresh-interval': number;
  'flink-version'?: string;
  features?: Record<string, boolean>;
}

export interface ApplicationOverview {
  id: string;
  name: string;
  status: string;
  'start-time': number;
  'end-time': number;
  duration: number;
  jobs?: Counts;
}

export interface JobOverview {
  jid: string;
  name: string;
  state: string;
  'start-time': number;
  'end-time': number;
  duration: number;
  tasks?: Counts;
  jobType?: string | null;
  schedulerType?: string | null;
  'last-modification'?: number;
}

export interface Application {
  id: string;
  name: string;
  status: string;
  'start-time': number;
  'end-time': number;
  duration: number;
  timestamps?: Counts;
  jobs: JobOverview[];
}

export interface ExceptionEntry {
  exceptionName?: string;
  stacktrace: string;
  timestamp: number;
  failureLabels?: Record<string, string>;
  taskName?: string | null;
  endpoint?: string | null;
  /** Where `endpoint` stands since 2.0. */
  location?: string | null;
  taskManagerId?: string | null;
  /** Only in an application's exceptions. */
  jobId?: string | null;
  concurrentExceptions?: ExceptionEntry[];
}

export interface Exceptions {
  exceptionHistory?: { entries: ExceptionEntry[]; truncated?: boolean };
  /** 1.x only, as are the three below. */
  'root-exception'?: string | null;
  timestamp?: number | null;
  'all-exceptions'?: { exception: string; task?: string; location?: string; endpoint?: string; timestamp: number; taskManagerId?: string }[];
  truncated?: boolean;
}

export interface IoMetrics {
  'read-bytes': Figure;
  'read-bytes-complete'?: boolean;
  'write-bytes': Figure;
  'write-bytes-complete'?: boolean;
  'read-records': Figure;
  'read-records-complete'?: boolean;
  'write-records': Figure;
  'write-records-complete'?: boolean;
  'accumulated-backpressured-time'?: Figure;
  'accumulated-idle-time'?: Figure;
  'accumulated-busy-time'?: Figure;
}

export interface JobVertex {
  id: string;
  name: string;
  status: string;
  parallelism: number;
  maxParallelism?: number;
  slotSharingGroupId?: string;
  'start-time': number;
  'end-time': number;
  duration: number;
  tasks: Counts;
  metrics: IoMetrics;
}

export interface PlanInput {
  id: string;
  num?: number;
  ship_strategy?: string;
  local_strategy?: string;
  caching?: string;
  exchange?: string;
}

export interface PlanNode {
  id: string;
  parallelism: number;
  operator?: string;
  operator_strategy?: string;
  description?: string;
  inputs?: PlanInput[];
}

export interface StreamNode extends PlanNode {
  /** Absent while the operator had no vertex yet. */
  job_vertex_id?: string;
}

export interface Job {
  jid: string;
  name: string;
  state: string;
  'application-id'?: string | null;
  'job-type'?: string | null;
  schedulerType?: string | null;
  'start-time': number;
  'end-time': number;
  duration: number;
  maxParallelism?: number;
  timestamps?: Counts;
  vertices: JobVertex[];
  'status-counts'?: Counts;
  plan?: { type?: string; nodes?: PlanNode[] };
  'stream-graph'?: { nodes?: StreamNode[] };
  'pending-operators'?: number;
}

export interface Attempt {
  subtask: number;
  status: string;
  attempt: number;
  endpoint?: string;
  host?: string;
  'start-time': number;
  'end-time': number;
  duration: number;
  metrics: IoMetrics;
  'taskmanager-id'?: string;
  'status-duration'?: Record<string, Figure>;
  'other-concurrent-attempts'?: Attempt[];
}

/** min, p25, avg, median, p75, p95, max and sum of one figure. */
export type Aggregate = Record<string, Figure>;

export interface Aggregated {
  metrics?: Record<string, Aggregate>;
  'status-duration'?: Record<string, Aggregate>;
}

export interface VertexDetails {
  id: string;
  name: string;
  parallelism: number;
  maxParallelism?: number;
  subtasks: Attempt[];
  aggregated?: Aggregated;
}

export interface TaskManager {
  endpoint?: string;
  host?: string;
  status: string;
  'start-time': number;
  'end-time': number;
  duration: number;
  metrics: IoMetrics;
  'status-counts'?: Counts;
  'taskmanager-id'?: string;
  aggregated?: Aggregated;
}

export interface SubtaskTimes {
  subtasks: { subtask: number; endpoint?: string; host?: string; duration: number; timestamps: Counts }[];
}

export interface Accumulator {
  name: string;
  type: string;
  value: string;
}

export interface KeyValue {
  key: string;
  value: string;
}

export interface JobConfiguration {
  'execution-config'?: {
    'execution-mode'?: string;
    'restart-strategy'?: string;
    'job-parallelism'?: number;
    'object-reuse-mode'?: boolean;
    'user-config'?: Record<string, string>;
  };
}

export interface Environment {
  jvm?: { version?: string; arch?: string; options?: string[] };
  classpath?: string[];
}

export interface Summary {
  min: Figure;
  max: Figure;
  avg: Figure;
  p50?: Figure;
  p90?: Figure;
  p95?: Figure;
  p99?: Figure;
  p999?: Figure;
}

export interface CheckpointSizes {
  latest_ack_timestamp: number;
  checkpointed_size?: Figure;
  state_size: Figure;
  end_to_end_duration: Figure;
  alignment_buffered?: Figure;
  processed_data?: Figure;
  persisted_data?: Figure;
  num_subtasks: number;
  num_acknowledged_subtasks: number;
}

export interface Checkpoint extends CheckpointSizes {
  id: number;
  status: string;
  is_savepoint: boolean;
  savepointFormat?: string | null;
  trigger_timestamp: number;
  checkpoint_type?: string;
  tasks?: Record<string, CheckpointSizes & { id: number; status: string }>;
  external_path?: string;
  discarded?: boolean;
  failure_timestamp?: number;
  failure_message?: string;
}

export interface RestoredCheckpoint {
  id: number;
  restore_timestamp: number;
  is_savepoint: boolean;
  external_path?: string | null;
}

export interface Checkpoints {
  counts: { restored: number; total: number; in_progress: number; completed: number; failed: number };
  summary: Record<string, Summary>;
  latest: {
    completed?: Checkpoint | null;
    savepoint?: Checkpoint | null;
    failed?: Checkpoint | null;
    restored?: RestoredCheckpoint | null;
  };
  history: Checkpoint[];
}

export interface CheckpointSubtasks {
  summary?: {
    checkpointed_size?: Summary;
    state_size: Summary;
    end_to_end_duration: Summary;
    checkpoint_duration: { sync: Summary; async: Summary };
    alignment: { processed?: Summary; persisted?: Summary; duration: Summary };
    start_delay?: Summary;
  };
  subtasks: {
    index: number;
    status: string;
    ack_timestamp?: number;
    end_to_end_duration?: Figure;
    checkpointed_size?: Figure;
    state_size?: Figure;
    checkpoint?: { sync: Figure; async: Figure };
    alignment?: { processed?: Figure; persisted?: Figure; duration: Figure };
    start_delay?: Figure;
    unaligned_checkpoint?: boolean;
    aborted?: boolean;
  }[];
}

export interface CheckpointConfiguration {
  mode?: string;
  interval?: Figure;
  timeout?: Figure;
  min_pause?: Figure;
  max_concurrent?: Figure;
  externalization?: { enabled: boolean; delete_on_cancellation: boolean };
  state_backend?: string;
  checkpoint_storage?: string;
  unaligned_checkpoints?: boolean;
  tolerable_failed_checkpoints?: Figure;
  aligned_checkpoint_timeout?: Figure;
  checkpoints_after_tasks_finish?: boolean;
  state_changelog_enabled?: boolean;
  changelog_periodic_materialization_interval?: Figure;
  changelog_storage?: string;
}

export interface ResourceProfile {
  cpuCores: Figure;
  taskHeapMemory: Figure;
  taskOffHeapMemory: Figure;
  managedMemory: Figure;
  networkMemory: Figure;
  extendedResources?: Record<string, unknown>;
}

export interface Rescale {
  rescaleUuid: string;
  resourceRequirementsUuid?: string;
  rescaleAttemptId?: number;
  triggerCause?: string;
  terminalState?: string | null;
  terminatedReason?: string | null;
  startTimestampInMillis: number;
  endTimestampInMillis: number;
  vertices?: Record<
    string,
    {
      jobVertexId: string;
      jobVertexName: string;
      slotSharingGroupName?: string;
      preRescaleParallelism: number | null;
      postRescaleParallelism: number | null;
      desiredParallelism: number | null;
      sufficientParallelism: number | null;
    }
  >;
  slots?: Record<
    string,
    {
      slotSharingGroupId: string;
      slotSharingGroupName?: string;
      preRescaleSlots: number | null;
      postRescaleSlots: number | null;
      desiredSlots: number | null;
      minimalRequiredSlots: number | null;
      requestResourceProfile?: ResourceProfile | null;
      acquiredResourceProfile?: ResourceProfile | null;
    }
  >;
  schedulerStates?: {
    state: string;
    enterTimestampInMillis: number;
    leaveTimestampInMillis: number;
    durationInMillis: Figure;
    stringifiedException?: string | null;
  }[];
}

export interface RescalesOverview {
  rescalesCounts: { ignored: number; inProgress: number; completed: number; failed: number };
  latest: { completed?: Rescale | null; failed?: Rescale | null; ignored?: Rescale | null };
}

export interface RescalesSummary {
  rescalesDurationStatsInMillis: Summary;
  completedRescalesDurationStatsInMillis: Summary;
  ignoredRescalesDurationStatsInMillis: Summary;
  failedRescalesDurationStatsInMillis: Summary;
}

export type RescalesConfiguration = Record<string, Figure | string | null>;

/** Flink archives some refusals as if they were answers: `{"errors":[…]}` with status 200. */
export function available<T extends object>(document: T | undefined): T | undefined {
  return document && !('errors' in document) ? document : undefined;
}

export const jobPath = (job: string, rest = ''): string => `jobs/${encodePart(job)}${rest}`;
export const applicationPath = (application: string, rest = ''): string => `applications/${encodePart(application)}${rest}`;
export const vertexPath = (job: string, vertex: string, rest = ''): string => jobPath(job, `/vertices/${encodePart(vertex)}${rest}`);
