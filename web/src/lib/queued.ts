/**
 * What is listed, but not read yet: the server lists an application from its summary, and a job from the head of its archive, before it
 * reads its archives. Failures, figures, vertices and search of a queued application or job are unknown until then.
 */

type Answer = object | null | undefined;

/** The number of queued applications and legacy jobs in an answer; 0: it covers everything. */
export const queuedIn = (answer: Answer): number => (answer as { queued?: number } | null | undefined)?.queued ?? 0;

/** True of a row, or of the details of a page, whose archive is still to be read. */
export const isQueued = (item: Answer): boolean => (item as { read?: boolean } | null | undefined)?.read === false;

/** How far the reading is, in applications and legacy jobs; `null` if all are read. */
export function reading(figures: Answer): { read: number; of: number } | null {
  const queued = queuedIn(figures);
  const of = (figures as { units?: number } | null | undefined)?.units ?? 0;
  return queued > 0 && of >= queued ? { read: of - queued, of } : null;
}
