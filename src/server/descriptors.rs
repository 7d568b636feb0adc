//! Open files: each connection is one. As many as the system allows are taken, and where these are not enough, there are fewer connections.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Open files that are left for all else: the index, archive directories, probes, connections that wait for a place.
const RESERVED: u64 = 512;

/// Raises the limit of open files of this process for so many connections. Returns how many connections are possible.
pub(super) fn connections(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let needed = (wanted as u64).saturating_add(RESERVED);
    let mut current = limit.current.unwrap_or(u64::MAX);
    if current < needed {
        let raised = needed.min(limit.maximum.unwrap_or(u64::MAX));
        match setrlimit(Resource::Nofile, rustix::process::Rlimit { current: Some(raised), maximum: limit.maximum }) {
            Ok(()) => current = raised,
            Err(error) => tracing::debug!("the limit of open files could not be raised: {error}"),
        }
    }
    let connections = within(wanted, current);
    if connections < wanted {
        tracing::warn!(
            "this process may open {current} files, so that it takes {connections} connections at a time instead of {wanted}: raise its \
             limit of open files (ulimit -n, LimitNOFILE=) to {needed}, or lower historyserver.web.max-connections"
        );
    }
    connections
}

/// The number of connections that is possible with so many open files.
fn within(wanted: usize, files: u64) -> usize {
    let left = files.saturating_sub(RESERVED).max(files / 4).max(1);
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_all_else() {
        for (wanted, files, connections) in
            [(1024, 1_048_576, 1024), (1024, 1536, 1024), (1024, 1024, 512), (1024, 256, 64), (10, 256, 10), (1024, 0, 1)]
        {
            assert_eq!(within(wanted, files), connections, "{wanted} connections, {files} files");
        }
    }

    #[test]
    fn the_limit_is_raised_for_what_is_wanted() {
        let before = getrlimit(Resource::Nofile);
        let possible = connections(1024);
        let after = getrlimit(Resource::Nofile);
        assert!(possible >= 1 && after.current >= before.current && after.maximum == before.maximum);
    }
}
