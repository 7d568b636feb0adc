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
  units?: number | null;
  [more: string]: unknown;
}

export interface ServerStatus {
  version: string;
  started_at?: number | null;
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
    finished?: number | null;
    running_since?: number | null;
    last_finished?: number | null;
    next?: number | null;
    /** Archives found and not read yet. */
    pending?: number | null;
    directories: Directory[];
  };
  problems?: Problem[];
}
