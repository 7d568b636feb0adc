/** Copies: the same id may be archived in several clusters and directories, and Flink's own addresses have room for one of them. */
import { encodePart } from './encode';

/** Where a copy lies. Both are null of that which Flink's addresses show. */
export interface Place {
  cluster: string | null;
  directory: string | null;
}

/** What an address says of a job archive that lies in no cluster: no cluster has such a name. */
const NO_CLUSTER = '/';

/** One copy. */
export interface Copy extends Place {
  id: string;
}

/** The copy that a line of a list stands for. */
export function copyOf({ id, shown, cluster, directory }: Copy & { shown: boolean }): Copy {
  return shown ? { id, cluster: null, directory: null } : { id, cluster: cluster ?? NO_CLUSTER, directory };
}

/** A copy as a word without commas, by which an address can hold several. */
export function copyWord({ id, cluster, directory }: Copy): string {
  return cluster === null && directory === null ? id : [id, cluster ?? '', directory ?? ''].map(encodePart).join('/');
}
