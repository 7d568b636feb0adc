/** What the server says about itself: `api/v1/status`. Times are milliseconds since 1970. */

export interface Problem {
  code: string;
  subject: { directory?: string | null; cluster?: string | null; application?: string | null; file?: string | null };
  reason: string;
  since: number;
  next_attempt?: number | null;
}

export interface Directory {
  url: string;
  state: 'waiting' | 'listed' | 'failed' | 'vanished';
  reason?: string | null;
  last_listed?: number | null;
  /** Applications and legacy jobs found by the last listing. */
  units?: number | null;
  /** How long the last listing of names, and that of all files, took. */
  look_ms?: number | null;
  audit_ms?: number | null;
  next_audit?: number | null;
}

export interface ServerStatus {
  version: string;
  started?: number | null;
  readiness?: { ready: boolean; reason: string | null };
  figures: {
    applications: number;
    jobs: number;
    pack_bytes?: number;
    gone_pack_bytes?: number;
    file_bytes?: number;
    problems?: number;
    evictions?: number;
  };
  refresh: {
    /** How many have been finished. */
    finished?: number | null;
    running_since?: number | null;
    last_finished?: number | null;
    next?: number | null;
    /** Archives found and not read yet. */
    pending?: number | null;
    directories: Directory[];
  };
  /** The oldest of them; their number is always told. */
  problems: { total: number; shown: Problem[] };
}
