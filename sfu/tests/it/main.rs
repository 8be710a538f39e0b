//! Conversations with the SFU: str0m as clients, virtual time, seeded loss.
// A conversation that cannot go on has failed.
#![allow(clippy::unwrap_used)]

mod browsers;
mod calls;
mod data;
mod hostile;
mod keyframes;
mod layers;
mod links;
mod paths;
mod rooms;
mod shards;
mod simulation;
mod slots;
mod streams;
mod support;
