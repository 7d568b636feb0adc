//! Who asks, and what they may see.
//!
//! - `identity`: the client of a request.
//!
//! Every request gets an [`Identity`] in its extensions before a handler runs.

pub mod identity;

pub use identity::{Identity, IdentityKind};
