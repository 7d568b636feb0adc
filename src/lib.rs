//! Flink History Server: finds archives of finished Flink applications, indexes them and serves them.
//!
//! The modules stand in the order of their imports: a module uses only modules above it. `tests/integration/architecture.rs` checks
//! this and lists the exceptions.

pub mod clock;
pub mod ids;
pub mod names;
pub mod problem;
pub mod spreadsheet;
pub mod tasks;
pub mod telemetry;

pub mod directory;

pub mod archive;

pub mod pack;

pub mod data_directory;

pub mod index;

pub mod diagnosis;

pub mod retention;

pub mod ingest;

pub mod refresh;

pub mod schedule;

pub mod access;

pub mod api;

pub mod config;
pub mod logging;
pub mod tls;
pub mod web;

pub mod server;

pub mod cli;
