//! What the index promises, written against its public methods only.

mod lifecycle;
mod support;
