//! The configuration file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| roundturn_fuzz::toml_file::check(bytes));
