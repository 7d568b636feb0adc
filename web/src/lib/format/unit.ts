import { formatBytes } from './bytes';
import { formatDuration } from './duration';
import { formatCount } from './number';

/** The unit of a figure. */
export type Unit = 'count' | 'duration' | 'bytes';

/** Writes a figure in its unit. */
export const FORMATS: Record<Unit, (value: number) => string> = { count: formatCount, duration: formatDuration, bytes: formatBytes };
