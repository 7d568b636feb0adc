/** Copies: the same id may be archived in several clusters and directories, and Flink's own addresses have room for one of them. */
import { encodePart } from './encode';

/** One copy. Without cluster and directory, that which Flink's addresses show. */
export interface Copy {
  id: string;
  cluster: string | null;
  directory: string | null;
}

/** The copy that a line of a list stands for; `null` as its cluster is a job archive of before Flink 2.3. */
export function copyOf({ id, shown, cluster, directory }: Copy & { shown: boolean }): Copy {
  return shown ? { id, cluster: null, directory: null } : { id, cluster, directory };
}

/** A copy as a word without commas, by which an address can hold several. */
export function copyWord({ id, cluster, directory }: Copy): string {
  return cluster === null && directory === null ? id : [id, cluster ?? '', directory ?? ''].map(encodePart).join('/');
}
