/** Failed requests in words. */
import type { RequestError } from './api/http';

export interface ErrorExplanation {
  title: string;
  /** The reason that is not in the message of the server, or what the user can do. */
  advice: string;
}

/** The codes of errors about an archive that exists, in the header `historyserver-error`. */
const UNREADABLE = 'archive-unreadable';
const NOT_IN_ARCHIVE = 'not-in-archive';

/** Explains a failed request. `what` is the subject of the request, as the beginning of a sentence: `This job`. */
export function explainError({ status, code }: Pick<RequestError, 'status' | 'code'>, what: string): ErrorExplanation {
  // There is an archive. The status says whether trying again may help.
  if (code === UNREADABLE) {
    return { title: 'The archive cannot be read', advice: 'The server reads it again when its file changes, and at growing intervals. The page Server lists all such problems.' };
  }
  if (code === NOT_IN_ARCHIVE) return { title: 'This document is not archived', advice: 'The other documents of the archive can be read.' };
  switch (status) {
    case 0:
      return { title: 'The server cannot be reached', advice: 'It may be restarting, or the network is down. The page still shows the last data, if there is any.' };
    case 200:
      return { title: `${what} cannot be read`, advice: 'The server answers it as it is in the archive.' };
    case 404:
      return { title: `${what} was not found`, advice: 'It was never archived, or it was removed. A new archive appears after the next refresh.' };
    case 410:
      return { title: `${what} was removed`, advice: 'Its archive was removed from the archive directory, and the server no longer has a copy of the documents.' };
    case 503:
      return { title: 'The server cannot answer now', advice: 'Try again later.' };
    default:
      return { title: `The server answered with ${status}`, advice: 'Try again. If the error persists, see the log of the server.' };
  }
}
