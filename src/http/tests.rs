//! Small tests of HTTP; whole conversations are in tests/signaling.
