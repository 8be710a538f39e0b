//! STUN messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| roundturn_fuzz::stun::check(bytes));
