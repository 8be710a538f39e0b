//! What the benches that start servers share: child processes with their cost, and numbers.

pub mod numbers;
pub mod process;
