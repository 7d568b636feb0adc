//! The `historyserver` program.

fn main() {}
