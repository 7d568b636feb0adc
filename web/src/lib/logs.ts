/** Links to the logs of a job, from the URL patterns in the configuration of the server. */
import { jobPath } from './api/flink';
import { getJson, RequestError } from './api/http';
import { encodePart } from './encode';

/** The patterns that are not configured. A request per task manager would return the same 404 again. */
const unset = new Set<'jobmanager' | 'taskmanager'>();

/** The link to a log, or null if there is none. Only http and https links are returned. */
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

/** Returns the URL if it has the scheme http or https. */
export function safeLink(url: unknown): string | null {
  if (typeof url !== 'string') return null;
  try {
    const { protocol, href } = new URL(url);
    return protocol === 'http:' || protocol === 'https:' ? href : null;
  } catch {
    return null;
  }
}
