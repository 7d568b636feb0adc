//! When things run, never what.

pub mod cron;
pub mod file_events;
pub mod periodic;
