//! Conversations with the SFU: str0m as clients, virtual time, seeded loss.

mod calls;
mod support;
