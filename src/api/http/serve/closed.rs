//! The metric of closed connections.

use metrics::{Unit, counter, describe_counter};

/// Reasons to close a connection in favour of others.
const REASONS: [&str; 4] = ["idle", "stalled", "memory", "slow"];

/// Counter of connections that were closed in favour of others, by `reason`, one of [`REASONS`].
pub(super) const CLOSED: &str = "historyserver_http_connections_closed_total";

/// Describes the counter.
pub(in crate::api) fn describe() {
    describe_counter!(CLOSED, Unit::Count, "Connections closed for others, by reason: idle, stalled, memory or slow.");
    for reason in REASONS {
        counter!(CLOSED, "reason" => reason).increment(0);
    }
}
