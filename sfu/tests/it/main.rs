//! Conversations with the SFU: str0m as clients, virtual time, seeded loss.

mod browsers;
mod calls;
mod hostile;
mod keyframes;
mod rooms;
mod slots;
mod support;
