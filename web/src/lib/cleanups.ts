/** Cleanups that are on hold: why, and what the operator can do. */
import type { HeldCleanup } from './api/server';
import { formatCount, formatShare } from './format/number';

export interface HeldExplanation {
  /** Only the counted applications and jobs are on hold. The rest of the cleanup continues. */
  partial?: boolean;
  why: string;
  action: string;
}

const CONFIRM = 'Check the list below. To remove these applications and jobs, confirm the plan. To keep them, set a wider limit (historyserver.archive.retained-…).';

/** Returns the explanation of each reason. `removal` is the removed part of the directory, in words. */
const EXPLANATIONS: Record<HeldCleanup['reason'], (removal: string) => HeldExplanation> = {
  'too-much': (removal) => ({
    why: `It would remove ${removal}, which is more than historyserver.archive.retention.max-delete-fraction allows in one run.`,
    action: CONFIRM,
  }),
  'first-limit': (removal) => ({
    why: `It is the first cleanup of this directory with a limit (historyserver.archive.retained-…), and it would remove ${removal}. A first cleanup of more than half of a directory must be confirmed.`,
    action: CONFIRM,
  }),
  'stricter-limit': (removal) => ({
    why: `A limit (historyserver.archive.retained-…) is stricter than at the last cleanup, and this one would remove ${removal}. After such a change, a cleanup of more than half of a directory must be confirmed.`,
    action: CONFIRM,
  }),
  vanished: (removal) => ({
    why: `The directory contained archives and is now empty or missing. The cleanup would remove ${removal} from this server.`,
    action: 'Check that the volume is mounted and that the configured directory is the right one. If the archives were removed on purpose, confirm the plan.',
  }),
  clock: (removal) => ({
    partial: true,
    why: `The clock of this server may be wrong. By this clock, ${removal} are older than historyserver.archive.retained-ttl. They are not removed for now. The rest of the cleanup continues.`,
    action: 'Correct the clock. The cleanup continues when the clock has run steadily for one hour, or when a new archive is written. If the clock is right, confirm the plan.',
  }),
  times: (removal) => ({
    partial: true,
    why: `A limit expires ${removal}, but their files are dated before 2014, when Flink did not exist. Some copies and stores lose the modification times of files. They are not removed for now. The rest of the cleanup continues.`,
    action: 'Restore the modification times of these files, or confirm the plan.',
  }),
};

/** Explains why a cleanup is on hold. A reason that this page does not know has the explanation of its size alone. */
export function explainHeld({ reason, units, of }: Pick<HeldCleanup, 'reason' | 'units' | 'of'>): HeldExplanation {
  const share = of > 0 ? ` (${formatShare(units / of)})` : '';
  const removal = `${formatCount(units)} of ${formatCount(of)} applications and jobs${share}`;
  const explain = Object.hasOwn(EXPLANATIONS, reason) ? EXPLANATIONS[reason] : null;
  return explain?.(removal) ?? { why: `It would remove ${removal}.`, action: CONFIRM };
}

/** The command that confirms a plan. */
export const confirmCommand = ({ plan }: Pick<HeldCleanup, 'plan'>): string => `historyserver cleanup --confirm ${plan}`;
