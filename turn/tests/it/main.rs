//! The TURN server's behaviour, as conversations.

mod dsl;

mod allocate;
mod data;
