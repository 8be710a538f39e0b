//! The importer of coturn's settings.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| roundturn_fuzz::import::check(bytes));
