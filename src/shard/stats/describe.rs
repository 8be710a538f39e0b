//! What each series means, for those who read /metrics.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// Tells the recorder about every series of [`super::rows`].
pub(super) fn describe() {
    for (name, help) in COUNTERS {
        describe_counter!(*name, *help);
    }
    let help = "Time to the first picture of a slot, or of a participant for whom there was one at its join.";
    describe_histogram!("roundturn_sfu_first_frame_seconds", help);
    for (name, help) in GAUGES {
        describe_gauge!(*name, *help);
    }
}

const COUNTERS: &[(&str, &str)] = &[
    ("roundturn_stun_requests_total", "STUN and TURN requests received."),
    ("roundturn_stun_responses_total", "STUN and TURN responses, by error code (200 means success)."),
    ("roundturn_turn_packets_dropped_total", "Datagrams from clients and peers that led to nothing."),
    ("roundturn_turn_auth_failures_total", "Authentication failures other than the first challenge."),
    ("roundturn_turn_peer_denied_total", "Peers refused by policy."),
    ("roundturn_turn_allocations_created_total", "TURN allocations created."),
    ("roundturn_turn_allocations_closed_total", "TURN allocations ended."),
    ("roundturn_turn_allocation_failures_total", "Authenticated Allocate requests that were refused."),
    ("roundturn_relay_packets_total", "Packets relayed, counted live; internal: within the process."),
    ("roundturn_relay_bytes_total", "Payload bytes relayed, counted live; internal: within the process."),
    ("roundturn_relay_packets_dropped_total", "Relay packets dropped."),
    ("roundturn_relay_port_allocation_failures_total", "Failed attempts to take a port from the shared range."),
    ("roundturn_udp_receive_queue_drops_total", "Datagrams the kernel dropped because a receive buffer was full."),
    ("roundturn_udp_packets_total", "Datagrams received or sent."),
    ("roundturn_udp_calls_total", "System calls that received or sent datagrams."),
    ("roundturn_udp_send_drops_total", "Datagrams the kernel did not take for sending."),
    ("roundturn_tls_handshakes_total", "TLS handshakes of TURN clients, by result."),
    ("roundturn_stream_ends_total", "TCP and TLS streams of TURN clients that ended or were not let in."),
    ("roundturn_sfu_rtp_packets_total", "RTP packets from publishers and to subscribers."),
    ("roundturn_sfu_rtp_bytes_total", "RTP payload bytes from publishers and to subscribers."),
    ("roundturn_sfu_keyframe_requests_total", "Keyframe requests from subscribers and to publishers."),
    ("roundturn_sfu_offers_total", "Offers by outcome."),
    ("roundturn_sfu_unknown_datagrams_total", "Datagrams at the SFU's port that are nobody's."),
    ("roundturn_sfu_failures_total", "Participants whose engine failed."),
    ("roundturn_sfu_datagrams_limited_total", "Datagrams of participants that send more than any call needs."),
    ("roundturn_sfu_messages_total", "Messages on data channels, out: one for each receiver."),
    ("roundturn_sfu_messages_dropped_total", "Messages on data channels that were not sent on, by whose doing."),
    ("roundturn_sfu_data_channels_closed_total", "Data channels closed because a message on them was lost."),
    ("roundturn_shard_events_lost_total", "Events for signaling lost because it was too slow."),
];

const GAUGES: &[(&str, &str)] = &[
    ("roundturn_turn_allocations", "TURN allocations alive now."),
    ("roundturn_turn_permissions", "TURN permissions installed now."),
    ("roundturn_turn_channels", "TURN channel bindings now."),
    ("roundturn_turn_tcp_connections", "Connections with peers that TCP allocations have now."),
    ("roundturn_stream_connections", "TCP and TLS streams of TURN clients open now."),
    ("roundturn_relay_ports", "Ports in the shared UDP range."),
    ("roundturn_relay_ports_in_use", "Ports of the shared UDP range in use."),
    ("roundturn_shard_busy_ratio", "Part of the last second that a shard's thread did not wait, 0 to 1."),
    ("roundturn_sfu_rooms", "Rooms open now."),
    ("roundturn_sfu_participants", "Participants now."),
    ("roundturn_sfu_participants_connected", "Participants whose media can flow now."),
    ("roundturn_sfu_tracks", "Tracks published now."),
];
