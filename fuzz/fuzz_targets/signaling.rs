//! Frames of clients to the signaling hub.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| roundturn_fuzz::signaling::check(bytes));
