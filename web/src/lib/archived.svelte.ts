import { readDocument, type Document, type Shape } from './api/shape';
import { document, type Resource } from './resource.svelte';

/** A document of an archive: the members that are as Flink writes them, and the flaws. */
export interface Archived<T> extends Resource<T>, Pick<Document<T>, 'flaws' | 'flawCount' | 'refusal'> {
  /** The path in Flink's API; `null` if no document is requested. */
  readonly path: string | null;
  /** The document as it is in the archive. */
  readonly raw: unknown;
}

const NOTHING: Document<never> = { value: undefined, flaws: [], flawCount: 0, refusal: null };

/** Loads a document like `document` does, and reads it with `shape`. */
export function archived<T>(shape: Shape<T | undefined>, path: () => string | null, live = false): Archived<T> {
  const answer = document<unknown>(path, live);
  const named = $derived(path());
  const read = $derived<Document<T>>(answer.data === undefined ? NOTHING : readDocument(shape, answer.data));
  return {
    get data() {
      return read.value;
    },
    get flaws() {
      return read.flaws;
    },
    get flawCount() {
      return read.flawCount;
    },
    get refusal() {
      return read.refusal;
    },
    get raw() {
      return answer.data;
    },
    get path() {
      return named;
    },
    get error() {
      return answer.error;
    },
    get loading() {
      return answer.loading;
    },
    reload: () => answer.reload(),
  };
}
