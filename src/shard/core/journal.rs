//! What the log says of allocations.

use roundturn_turn as turn;

use crate::moment::rfc3339;

/// The life of allocations, for whoever reads at debug level.
pub(super) fn write(event: &turn::Event) {
    match event {
        turn::Event::Opened { client, relay, username } => {
            tracing::debug!(client = %client.remote, relay = relay.port, username, "allocation opened");
        }
        turn::Event::Closed { client, relay, reason, lived, bytes_to_peers, bytes_to_client } => {
            tracing::debug!(
                client = %client.remote, relay = relay.port, ?reason, ?lived, bytes_to_peers, bytes_to_client,
                "allocation closed"
            );
        }
        turn::Event::Moved { client, relay } => {
            tracing::debug!(client = %client.remote, relay = relay.port, "allocation moved");
        }
        turn::Event::Claimed { client, claim } => {
            tracing::debug!(client = %client.remote, relay = claim.relay.port, "allocation claimed from another shard");
        }
        turn::Event::Disconnected { connection } => tracing::debug!(connection = connection.0, "connection closed"),
        turn::Event::Released { relay } => tracing::debug!(relay = relay.port, "reserved port released"),
    }
}

/// A peer that was denied.
pub(super) fn write_denial(denial: &turn::Denial) {
    let turn::Denial { client, peer, rule } = denial;
    tracing::debug!(client = %client.remote, peer = %peer.0, rule = turn::Label::label(*rule), "peer denied");
}

/// A credential that was refused. Clocks that differ are the most common reason, and the hardest to see.
pub(super) fn write_rejection(rejection: &turn::Rejection) {
    let turn::Rejection { client, username, failure, expires, unix_secs } = rejection;
    let reason = turn::Label::label(*failure);
    match expires.filter(|expires| expires <= unix_secs) {
        Some(expires) => tracing::debug!(
            client = %client.remote, username, reason,
            "credential refused: it expired {} s ago; this host's clock is {}", unix_secs - expires, rfc3339(*unix_secs)
        ),
        None => tracing::debug!(client = %client.remote, username, reason, "credential refused"),
    }
}
