//! Any bytes, read as an archive.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| historyserver::archive::fuzz::envelope(data));
