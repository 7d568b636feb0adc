//! When things run, never what.

pub mod file_events;
pub mod periodic;
