//! The times at which refreshes and cleanups run.

pub mod cleanups;
pub mod cron;
pub mod file_events;
pub mod periodic;
