//! A world without sockets and clocks: one SFU and its clients.

mod client;
mod data;
mod world;

pub use client::{Client, RED, RED_BLOCK, Received, Setup};
pub use world::{ROOM, World};
