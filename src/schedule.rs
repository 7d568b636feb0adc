//! When things run, never what.

pub mod cleanups;
pub mod cron;
pub mod file_events;
pub mod periodic;
