/** Where the logs of a job lie, from the patterns that the server was configured with. */
import { jobPath } from './api/flink';
import { getJson, RequestError } from './api/http';
import { encodePart } from './encode';

/** Patterns that the server does not have: asking again for each task manager would only bring the same 404. */
const unset = new Set<'jobmanager' | 'taskmanager'>();

/** The link to a log, or null where the server has none. Only http and https are followed. */
export async function logUrl(job: string, taskManager: string | null): Promise<string | null> {
  const kind = taskManager === null ? 'jobmanager' : 'taskmanager';
  if (unset.has(kind)) return null;
  const path = taskManager === null ? jobPath(job, '/jobmanager/log-url') : jobPath(job, `/taskmanagers/${encodePart(taskManager)}/log-url`);
  try {
    const { url } = await getJson<{ url: string }>(path);
    return safeLink(url);
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) unset.add(kind);
    return null;
  }
}

/** The address if it is one that may be linked to. */
export function safeLink(url: unknown): string | null {
  if (typeof url !== 'string') return null;
  try {
    const { protocol, href } = new URL(url);
    return protocol === 'http:' || protocol === 'https:' ? href : null;
  } catch {
    return null;
  }
}
