//! The audit log: sign-ins that failed or succeeded, and actions. Target `audit`; with `historyserver.log.format=json` each entry is
//! one JSON object. It never contains a token, a cookie or a header.

use std::net::IpAddr;

use super::identity::Identity;

/// The tracing target of all entries.
pub const TARGET: &str = "audit";

/// A request whose credentials were refused.
pub fn refused(from: Option<IpAddr>, method: &'static str, reason: &str) {
    tracing::warn!(
        target: "audit",
        action = "sign-in",
        result = "refused",
        method = method,
        client = %address(from),
        "a sign-in was refused: {reason}"
    );
}

/// Requests that are refused unread, since too many sign-ins failed. Written once per address and period.
pub fn blocked(from: Option<IpAddr>) {
    tracing::warn!(
        target: "audit",
        action = "sign-in",
        result = "blocked",
        client = %address(from),
        "too many sign-ins from this address failed: further ones are answered 429 for up to a minute"
    );
}

/// A sign-in or sign-out in the browser.
pub fn session(who: &Identity, from: Option<IpAddr>, action: &'static str) {
    tracing::info!(
        target: "audit",
        action = action,
        result = "done",
        who = who.name.as_deref().unwrap_or_default(),
        kind = <&str>::from(who.kind),
        client = %address(from),
        "{action}"
    );
}

/// An action that was requested. `result` is `accepted`, or why it was refused.
pub fn action(who: &Identity, from: Option<IpAddr>, action: &str, result: &str) {
    tracing::info!(
        target: "audit",
        action = action,
        result = result,
        who = who.name.as_deref().unwrap_or_default(),
        kind = <&str>::from(who.kind),
        client = %address(from),
        "an action was requested"
    );
}

/// The address, or `socket` for a client of the socket in the data directory.
fn address(from: Option<IpAddr>) -> String {
    from.map_or_else(|| "socket".to_owned(), |address| address.to_string())
}
