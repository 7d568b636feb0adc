/**
 * The pages and their addresses. The addresses are the ones of Flink's own dashboard, so that links and bookmarks to the Java history server
 * and to a former JobManager open the same page here.
 */
import { pairParameters, placeParameters, type Copy, type Place } from './copies';
import { href } from './router.svelte';

export const APPLICATION_TABS = ['overview', 'exceptions', 'configuration'] as const;
export const JOB_TABS = ['overview', 'exceptions', 'timeline', 'checkpoints', 'configuration', 'rescales', 'cluster_configuration'] as const;
export const VERTEX_TABS = ['detail', 'subtasks', 'taskmanagers', 'accumulators'] as const;

export type ApplicationTab = (typeof APPLICATION_TABS)[number];
export type JobTab = (typeof JOB_TABS)[number];
export type VertexTab = (typeof VERTEX_TABS)[number];

export type Route =
  | { name: 'home' }
  | { name: 'applications' }
  | { name: 'jobs' }
  | { name: 'application'; id: string; tab: ApplicationTab; unknownTab: string | null }
  | { name: 'job'; id: string; tab: JobTab; vertex: string | null; vertexTab: VertexTab; notArchived: string | null; unknownTab: string | null }
  | { name: 'runs'; kind: 'applications' | 'jobs' }
  | { name: 'compare' }
  | { name: 'search' }
  | { name: 'statistics' }
  | { name: 'server' }
  | { name: 'live'; what: string }
  /** `id`: the address has an invalid id of this kind. */
  | { name: 'unknown'; path: string; id?: 'application' | 'job' };

type Unknown = Extract<Route, { name: 'unknown' }>;

export const BACK_PRESSURE = 'back pressure';

/** Tabs of Flink's dashboard with data that is never archived. */
const NOT_ARCHIVED = new Map([
  ['dataskew', 'data skew'],
  ['watermarks', 'watermarks'],
  ['backpressure', BACK_PRESSURE],
  ['metrics', 'metrics'],
  ['flamegraph', 'flame graphs'],
]);

const LIVE = new Map([
  ['submit', 'Submitting jobs'],
  ['task-manager', 'Task managers'],
  ['job-manager', 'The JobManager'],
]);

export function pageOf(segments: readonly string[]): Route {
  const [first = 'overview', ...rest] = segments;
  const unknown: Unknown = { name: 'unknown', path: segments.join('/') };
  switch (first) {
    case 'overview':
      return { name: 'home' };
    case 'application':
    case 'applications':
      return applicationPage(withoutState(rest), unknown);
    case 'job':
    case 'jobs':
      return jobPage(withoutState(rest), unknown);
    case 'runs':
      return rest[0] === 'applications' || rest[0] === 'jobs' ? { name: 'runs', kind: rest[0] } : unknown;
    case 'compare':
      // Only jobs can be compared: an application has no plan.
      return rest[0] === 'jobs' ? { name: 'compare' } : unknown;
    case 'search':
      return { name: 'search' };
    case 'statistics':
      return { name: 'statistics' };
    case 'server':
      return { name: 'server' };
    default: {
      const what = LIVE.get(first);
      return what ? { name: 'live', what } : unknown;
    }
  }
}

/** Removes `completed` and `running`, which have no meaning here: the history server shows archives only. */
function withoutState(rest: readonly string[]): readonly string[] {
  return rest[0] === 'completed' || rest[0] === 'running' ? rest.slice(1) : rest;
}

/** True of an id in Flink's format, in upper or lower case. Another word, such as `overview`, would request another document. */
export const isId = (word: string): boolean => /^[0-9a-f]{32}$/i.test(word);

function applicationPage([id, tab]: readonly string[], unknown: Unknown): Route {
  if (id === undefined) return { name: 'applications' };
  if (!isId(id)) return { ...unknown, id: 'application' };
  return { name: 'application', id: id.toLowerCase(), tab: APPLICATION_TABS.find((one) => one === tab) ?? 'overview', unknownTab: unknownWord(tab, APPLICATION_TABS) };
}

function jobPage([id, tab = '', vertex, vertexTab = '']: readonly string[], unknown: Unknown): Route {
  if (id === undefined) return { name: 'jobs' };
  if (!isId(id)) return { ...unknown, id: 'job' };
  return {
    name: 'job',
    id: id.toLowerCase(),
    tab: JOB_TABS.find((one) => one === tab) ?? 'overview',
    vertex: tab === 'overview' && vertex ? vertex : null,
    vertexTab: VERTEX_TABS.find((one) => one === vertexTab) ?? 'detail',
    notArchived: NOT_ARCHIVED.get(tab) ?? NOT_ARCHIVED.get(vertexTab) ?? null,
    unknownTab: unknownWord(tab, JOB_TABS) ?? unknownWord(vertexTab, VERTEX_TABS),
  };
}

/** The word of an address that is neither a tab here nor in Flink's dashboard. */
function unknownWord(tab: string | undefined, tabs: readonly string[]): string | null {
  return tab && !tabs.includes(tab) && !NOT_ARCHIVED.has(tab) ? tab : null;
}

export const applicationHref = (id: string, tab: ApplicationTab = 'overview', place: Place | null = null): string => href(['application', 'completed', id, tab], { ...placeParameters(place) });
export const jobHref = (id: string, tab: JobTab = 'overview', place: Place | null = null): string => href(['job', 'completed', id, tab], { ...placeParameters(place) });
/** `view`: the columns and the order of its subtasks. */
export const vertexHref = (job: string, vertex: string, tab: VertexTab = 'detail', place: Place | null = null, view: Record<string, string> = {}): string =>
  href(['job', 'completed', job, 'overview', vertex, tab], { ...placeParameters(place), ...view });
/** The search for these words. */
export const searchHref = (text: string): string => href(['search'], { q: text });
/** The search for failures with this class of exceptions, at any position of a trace: at any time, or of what ended in this period. */
export const failureHref = (name: string, period: { from: number; to: number } | null = null): string =>
  href(['search'], { q: `"${name.replaceAll('"', ' ')}"`, in: 'exception', status: 'FAILED', from: period && String(period.from), to: period && String(period.to) });
/** All runs of a name, in all clusters or in one. */
export const runsHref = (kind: 'applications' | 'jobs', name: string, cluster: string | null = null): string => href(['runs', kind], { name, cluster });
/** The comparison of two jobs. By convention the earlier one is on the left. */
export const compareHref = (left: Copy, right: Copy): string => href(['compare', 'jobs'], pairParameters(left, right));
export const listHref = (kind: 'applications' | 'jobs', query = ''): string =>
  `#/${kind === 'applications' ? 'application' : 'job'}/completed${query ? `?${query}` : ''}`;
