//! Flink History Server: finds archives of finished Flink applications, indexes them and serves them.
//!
//! Modules in reading order: data flows from the first to the last.

pub mod clock;
pub mod ids;
pub mod problem;
pub mod spreadsheet;
pub mod tasks;

pub mod cli;
pub mod config;
pub mod telemetry;

pub mod directory;

pub mod archive;

pub mod pack;

pub mod index;
pub mod ingest;

pub mod retention;

pub mod refresh;

pub mod schedule;

pub mod tls;

pub mod api;
pub mod web;

pub mod server;
