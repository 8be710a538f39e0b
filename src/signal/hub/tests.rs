//! Conversations with the hub.
