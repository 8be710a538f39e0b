//! What the log says of allocations.

use roundturn_turn as turn;

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
