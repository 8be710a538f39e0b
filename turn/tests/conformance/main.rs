//! RFC 8489, RFC 8656 and RFC 6062, sentence by sentence: one conversation for each MUST and SHOULD that binds a server, named by
//! its section and with the sentence above it; what we do otherwise, and why; and a table of every method in every
//! state.
#![allow(clippy::unwrap_used)]

mod differences;
#[path = "../dsl/mod.rs"]
mod dsl;
mod rfc6062;
mod rfc8489_05_messages;
mod rfc8489_06_receiving;
mod rfc8489_09_credentials;
mod rfc8489_10_redirection;
mod rfc8489_14_attributes;
mod rfc8656_05_general;
mod rfc8656_07_allocate;
mod rfc8656_08_refresh;
mod rfc8656_09_permissions;
mod rfc8656_11_indications;
mod rfc8656_12_channels;
mod rfc8656_18_attributes;
mod table;
