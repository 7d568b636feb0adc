/** The comparison of two jobs: their addresses, and the differences of their figures. */
import { queryString } from './api/http';
import type { JobComparison, JobFacts, JobItem, VertexDifference, VertexFigures } from './api/server';
import { pairParameters, type Copy } from './copies';
import { formatCount, formatShare, measured } from './format/number';
import { FORMATS, type Unit } from './format/unit';
import { BETWEEN_VERTICES, RESTARTS } from './runs';

export const SIDES = ['left', 'right'] as const;
export type SideName = (typeof SIDES)[number];

/** One of the two jobs as the address names it, and the fault of its id. */
export interface Side extends Copy {
  fault: 'missing' | 'invalid' | null;
}

export function sideOf(query: URLSearchParams, name: SideName): Side {
  const id = (query.get(name) ?? '').trim().toLowerCase();
  return {
    id,
    cluster: query.get(`${name}_cluster`),
    directory: query.get(`${name}_directory`),
    fault: id === '' ? 'missing' : /^[0-9a-f]{32}$/.test(id) ? null : 'invalid',
  };
}

/** The path of the comparison; `null` unless both jobs have a valid id. */
export function comparePath(left: Side, right: Side): string | null {
  if (left.fault || right.fault) return null;
  return `api/v1/jobs/compare${queryString(pairParameters(left, right))}`;
}

/** The difference of the right figure to the left one: `+1m 30s (+50 %)`. `null` if one of them is missing. */
export function differenceOf(left: number | null, right: number | null, unit: Unit): string | null {
  if (left === null || right === null) return null;
  if (left === right) return 'same';
  const by = right - left;
  const sign = by > 0 ? '+' : '−';
  // There is no share of 0, and a factor is easier to read than thousands of per cent.
  const share = left <= 0 ? '' : right >= 10 * left ? ` (×${formatCount(Math.round(right / left))})` : ` (${sign}${formatShare(Math.abs(by) / left)})`;
  return `${sign}${FORMATS[unit](Math.abs(by))}${share}`;
}

/** A figure of both jobs. Words have no unit. */
export interface Compared {
  key: string;
  label: string;
  hint?: string;
  unit: Unit | null;
  left: number | string | null;
  right: number | string | null;
}

interface Figure {
  key: string;
  label: string;
  hint?: string;
  unit: Unit | null;
  of: (item: JobItem, facts: JobFacts | null) => number | string | null | undefined;
}

const FIGURES: readonly Figure[] = [
  { key: 'duration', label: 'Duration', unit: 'duration', of: (item) => measured(item.duration) },
  { key: 'type', label: 'Job type', unit: null, of: (item) => item.job_type },
  { key: 'version', label: 'Flink version', unit: null, of: (_, facts) => facts?.flink_version },
  { key: 'scheduler', label: 'Scheduler', unit: null, of: (_, facts) => facts?.scheduler },
  { key: 'parallelism', label: 'Parallelism', hint: 'The default parallelism of the job', unit: 'count', of: (_, facts) => facts?.parallelism },
  { key: 'max_parallelism', label: 'Max parallelism', unit: 'count', of: (_, facts) => facts?.max_parallelism },
  { key: 'restarts', label: 'Restarts', hint: RESTARTS, unit: 'count', of: (_, facts) => facts?.restarts },
  { key: 'read_records', label: 'Records read', hint: BETWEEN_VERTICES, unit: 'count', of: (_, facts) => facts?.io.read_records },
  { key: 'read_bytes', label: 'Bytes read', hint: BETWEEN_VERTICES, unit: 'bytes', of: (_, facts) => facts?.io.read_bytes },
  { key: 'write_records', label: 'Records written', hint: BETWEEN_VERTICES, unit: 'count', of: (_, facts) => facts?.io.write_records },
  { key: 'write_bytes', label: 'Bytes written', hint: BETWEEN_VERTICES, unit: 'bytes', of: (_, facts) => facts?.io.write_bytes },
  { key: 'completed', label: 'Checkpoints completed', unit: 'count', of: (_, facts) => facts?.checkpoints?.completed },
  { key: 'failed', label: 'Checkpoints failed', unit: 'count', of: (_, facts) => facts?.checkpoints?.failed },
  { key: 'longest', label: 'Longest checkpoint', unit: 'duration', of: (_, facts) => facts?.checkpoints?.longest_duration },
  { key: 'state', label: 'Largest state', hint: 'Of a completed checkpoint', unit: 'bytes', of: (_, facts) => facts?.checkpoints?.largest_state_size },
  { key: 'exception', label: 'Exception', hint: 'Class of the newest failure', unit: null, of: (_, facts) => facts?.root_exception?.class },
  { key: 'cause', label: 'Innermost cause', unit: null, of: (_, facts) => facts?.root_exception?.cause_class },
];

/** The figures that at least one of the two jobs has. */
export function comparedFigures(comparison: Pick<JobComparison, SideName | `${SideName}_facts`>): Compared[] {
  return FIGURES.map(({ of, ...figure }) => ({
    ...figure,
    left: of(comparison.left, comparison.left_facts) ?? null,
    right: of(comparison.right, comparison.right_facts) ?? null,
  })).filter(({ left, right }) => left !== null || right !== null);
}

export const differs = ({ left, right }: Pick<Compared, 'left' | 'right'>): boolean => left !== right;

/** The difference of two figures or of two words. */
export function differenceIn({ left, right, unit }: Compared): string {
  if (left === right) return 'same';
  if (left === null) return 'only right';
  if (right === null) return 'only left';
  if (unit && typeof left === 'number' && typeof right === 'number') return differenceOf(left, right, unit) ?? '';
  return 'differs';
}

/** The figures of a vertex, in the order of the columns. The plan decides some of them. */
export const VERTEX_FIGURES = [
  { key: 'parallelism', label: 'Parallelism', unit: 'count', plan: true },
  { key: 'max_parallelism', label: 'Max', unit: 'count', plan: true },
  { key: 'duration', label: 'Duration', unit: 'duration', plan: false },
  { key: 'read_records', label: 'Records read', unit: 'count', plan: false },
  { key: 'read_bytes', label: 'Bytes read', unit: 'bytes', plan: false },
  { key: 'write_records', label: 'Records written', unit: 'count', plan: false },
  { key: 'write_bytes', label: 'Bytes written', unit: 'bytes', plan: false },
] as const satisfies readonly { key: keyof VertexFigures; label: string; unit: Unit; plan: boolean }[];

const DIFFERENCES: Record<string, string> = { id: 'id', name: 'name', parallelism: 'parallelism', max_parallelism: 'max parallelism' };

/** The change of a vertex in the plan, from the left to the right job: a word and an icon with the same meaning. Figures are another matter. */
export function changeOf({ change, differences }: Pick<VertexDifference, 'change' | 'differences'>): { word: string; icon: 'plus' | 'minus' | 'differs' | 'equal'; tone: string } {
  if (change === 'added') return { word: 'Added', icon: 'plus', tone: 'finished' };
  if (change === 'removed') return { word: 'Removed', icon: 'minus', tone: 'failed' };
  if (change === 'same') return { word: 'Same plan', icon: 'equal', tone: 'neutral' };
  return { word: `Changed: ${differences.map((one) => DIFFERENCES[one] ?? one).join(', ')}`, icon: 'differs', tone: 'canceled' };
}

/** True if both jobs have the vertex, and it took another time, or read or wrote another amount. */
export function figuresDiffer({ left, right }: Pick<VertexDifference, SideName>): boolean {
  return Boolean(left && right) && VERTEX_FIGURES.some(({ key, plan }) => !plan && left?.[key] !== right?.[key]);
}

/** The numbers of added, removed and changed vertices, and of those whose figures differ, in words. */
export function changesInWords(vertices: readonly Pick<VertexDifference, 'change' | SideName>[]): string {
  const count = (wanted: string): number => vertices.filter(({ change }) => change === wanted).length;
  const parts = (['added', 'removed', 'changed'] as const).map((change) => [count(change), change] as const).filter(([found]) => found > 0);
  const same = count('same');
  const plan = [...parts.map(([found, change]) => `${formatCount(found)} ${change}`), ...(same > 0 ? [`${formatCount(same)} same`] : [])].join(', ');
  const differing = vertices.filter(figuresDiffer).length;
  if (plan === '') return '';
  return `Plan: ${plan}. Figures: ${differing > 0 ? `${formatCount(differing)} ${differing === 1 ? 'differs' : 'differ'}` : 'none differ'}.`;
}
