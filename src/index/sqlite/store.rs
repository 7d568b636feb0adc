//! The file: connections, the thread that writes, the schema, and checks for damage.

pub(super) mod checks;
pub(super) mod connection;
pub(in crate::index) mod copy;
pub(in crate::index) mod health;
pub(in crate::index) mod index_state;
pub(in crate::index) mod pool;
pub(super) mod schema;
pub(in crate::index) mod session;
pub(in crate::index) mod sqlite_error;
pub(super) mod values;
pub(in crate::index) mod writer_thread;
