/** Links to the logs of a job, from the URL patterns in the configuration of the server. */
import { jobPath } from './api/flink';
import { getJson, RequestError } from './api/http';
import { encodePart } from './encode';

type Kind = 'jobmanager' | 'taskmanager';

/** The first request of each kind. Without a pattern in the configuration it gets a 404, and so would all others. */
const first: Partial<Record<Kind, Promise<boolean>>> = {};
/** The links by path: a page shows the link of one task manager in many rows. */
const links = new Map<string, Promise<string | null>>();

/** The link to a log, or null if there is none. Only http and https links are returned. */
export function logUrl(job: string, taskManager: string | null): Promise<string | null> {
  const path = taskManager === null ? jobPath(job, '/jobmanager/log-url') : jobPath(job, `/taskmanagers/${encodePart(taskManager)}/log-url`);
  const known = links.get(path);
  if (known) return known;
  const link = request(path, taskManager === null ? 'jobmanager' : 'taskmanager');
  links.set(path, link);
  return link;
}

async function request(path: string, kind: Kind): Promise<string | null> {
  if (first[kind] && !(await first[kind])) return null;
  let configured = (_: boolean): void => undefined;
  first[kind] ??= new Promise((resolve) => (configured = resolve));
  try {
    const { url } = await getJson<{ url: string }>(path);
    configured(true);
    return safeLink(url);
  } catch (error) {
    const missing = error instanceof RequestError && error.status === 404;
    configured(!missing);
    // After another failure the next page asks again.
    if (!missing) links.delete(path);
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
