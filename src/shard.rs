//! One thread with its sockets, its TURN server and its SFU.

pub mod mailbox;
