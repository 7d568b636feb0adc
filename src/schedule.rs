//! When things run, never what.

pub mod periodic;
