/** The lanes of the timeline: the run times of vertices and their subtasks. */
import type { Job, JobVertex, SubtaskTimes } from './api/flink';
import { formatDuration } from './format/duration';
import { measured } from './format/number';
import { instant } from './format/time';
import { tone } from './status';
import { timesOf } from './times';

export interface Segment {
  from: number;
  to: number;
  /** The CSS class of the colour. */
  look: string;
  title: string;
}

export interface Lane {
  key: string;
  label: string;
  note: string;
  segments: Segment[];
}

/** The start of the first and the end of the last of a job and its vertices. */
export function axisOf(job: Job): { from: number; to: number } {
  const known = (times: (number | null | undefined)[]): number[] => times.filter((time): time is number => typeof time === 'number');
  const { start, end } = timesOf(job, job.state);
  const starts = known([start, ...job.vertices.map((one) => instant(one['start-time']))]);
  const from = starts.length > 0 ? starts.reduce((a, b) => Math.min(a, b)) : 0;
  const ends = known([...job.vertices.map((one) => instant(one['end-time'])), ...starts]);
  return { from, to: Math.max(from + 1, end ?? ends.reduce((a, b) => Math.max(a, b), from)) };
}

export function vertexLane(vertex: JobVertex, end: number): Lane {
  const from = instant(vertex['start-time']);
  const to = Math.max(from ?? 0, instant(vertex['end-time']) ?? end);
  const lasted = from === null ? 'never started' : formatDuration(to - from);
  return {
    key: vertex.id,
    label: vertex.name,
    note: lasted,
    segments: from === null ? [] : [{ from, to, look: tone(vertex.status), title: `${vertex.status}, ${lasted}` }],
  };
}

const TERMINAL = ['FINISHED', 'FAILED', 'CANCELED'];

/** The order of states of a task, for states with equal times. */
const LIFE = ['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING', 'CANCELING', ...TERMINAL];

export function subtaskLane(subtask: SubtaskTimes, end: number): Lane {
  const states = Object.entries(subtask.timestamps)
    .map(([state, time]) => ({ state, at: instant(time) }))
    .filter((one): one is { state: string; at: number } => one.at !== null)
    .sort((a, b) => a.at - b.at || LIFE.indexOf(a.state) - LIFE.indexOf(b.state));
  const last = states.at(-1);
  const outcome = last && TERMINAL.includes(last.state) ? last.state : 'RUNNING';
  const lasted = measured(subtask.duration);
  const segments = states.flatMap(({ state, at }, index): Segment[] => {
    if (TERMINAL.includes(state)) return [];
    const to = states[index + 1]?.at ?? Math.max(at, end);
    const look = state === 'RUNNING' || state === 'CANCELING' ? tone(outcome) : `phase-${state}`;
    return [{ from: at, to, look, title: `${state}, ${formatDuration(to - at)}` }];
  });
  return { key: String(subtask.subtask), label: `${subtask.subtask}`, note: lasted === null ? outcome : `${outcome}, ${formatDuration(lasted)}`, segments };
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500]
  .concat([1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000))
  .concat([1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000))
  .concat([1, 2, 3, 6, 12].map((hours) => hours * 3_600_000))
  .concat([1, 2, 7, 14, 30, 90, 365].map((days) => days * 86_400_000));

/** Round times between two times, up to `limit` of them. */
export function ticks(from: number, to: number, limit: number): number[] {
  const step = STEPS.find((one) => (to - from) / one <= limit) ?? (to - from) / Math.max(1, limit);
  const found: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to && found.length <= limit; at += step) found.push(at);
  return found;
}
