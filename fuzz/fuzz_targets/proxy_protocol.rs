//! PROXY protocol headers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| roundturn_fuzz::proxy_protocol::check(bytes));
