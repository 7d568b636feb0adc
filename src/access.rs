//! Who asks, and what they may see.
//!
//! - `identity`: the client of a request. `peer`: the other end of its connection.
//! - `authentication`: from a request to an identity, by the methods of `historyserver.security.authentication`.
//! - `audit`: the log of sign-ins and actions.
//! - `watched_file`: a file that is read again when it changes.
//! - `rights`: the rules, and the part of the index that they give to a client.
//!
//! Every request gets an [`Identity`] in its extensions before a handler runs.

pub mod audit;
pub mod authentication;
pub mod identity;
pub mod peer;
pub mod rights;
mod watched_file;

pub use authentication::{Authentication, Method, Outcome, SecurityOptions};
pub use identity::{Identity, IdentityKind};
pub use peer::Peer;
