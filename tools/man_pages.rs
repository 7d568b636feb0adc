//! Writes the manual pages of the program and of each command into a folder: `cargo run --example man_pages -- target/package/man`.

use std::path::PathBuf;

use clap::CommandFactory as _;
use historyserver::cli::Arguments;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/package/man"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(Arguments::command(), &folder)
}
