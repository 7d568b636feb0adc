//! What the index promises, written against its public methods only.

mod budget;
mod copies;
mod large;
mod lifecycle;
mod opening;
mod presence;
mod support;
