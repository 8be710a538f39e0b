//! Every series that a shard exports, in one order that never changes.

use roundturn_turn::Label;
use roundturn_turn::stats::{ByTransport, Tally, Traffic as Relayed};

use super::Sample;
use crate::ports::Owner;
use crate::shard::core::Traffic;
use crate::shard::streams::End;

/// One series and its value.
pub(super) struct Row<'a> {
    pub(super) name: &'static str,
    pub(super) labels: &'a [(&'static str, &'a str)],
    pub(super) value: Value,
}

/// How a value is exported.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// A monotonic counter, summed over the shards.
    Count(u64),
    /// A gauge, summed over the shards.
    Shared(f64),
    /// One bucket of a histogram of times: how many, and their sum in milliseconds. Summed over the shards.
    Times(u64, u64),
    /// A gauge that is this shard's alone, or the same for all.
    Own(f64),
}

type Visitor<'a> = dyn FnMut(Row<'_>) + 'a;

/// Shows `visitor` every series.
pub(super) fn visit(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    turn_requests(sample, visitor);
    turn_allocations(sample, visitor);
    relayed(sample, visitor);
    ports(sample, visitor);
    sockets(sample, visitor);
    streams(sample, visitor);
    sfu(sample, visitor);
}

fn turn_requests(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    let stats = sample.core.turn_stats();
    for (transport, (method, count)) in by_transport(&stats.requests) {
        let labels = [("transport", transport), ("method", method)];
        visitor(Row { name: "roundturn_stun_requests_total", labels: &labels, value: Value::Count(count) });
    }
    let responses =
        stats.responses.iter().flat_map(|(transport, counts)| counts.iter().map(move |row| (transport, row)));
    for (transport, (method, code, count)) in responses {
        let labels = [("transport", transport), ("method", method), ("code", code)];
        visitor(Row { name: "roundturn_stun_responses_total", labels: &labels, value: Value::Count(count) });
    }
    for (reason, count) in stats.drops.iter() {
        let labels = [("reason", reason)];
        visitor(Row { name: "roundturn_turn_packets_dropped_total", labels: &labels, value: Value::Count(count) });
    }
    for (reason, count) in stats.auth_failures.iter() {
        let labels = [("reason", reason)];
        visitor(Row { name: "roundturn_turn_auth_failures_total", labels: &labels, value: Value::Count(count) });
    }
    for (reason, count) in stats.denied.iter() {
        let labels = [("reason", reason)];
        visitor(Row { name: "roundturn_turn_peer_denied_total", labels: &labels, value: Value::Count(count) });
    }
}

fn turn_allocations(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    let stats = sample.core.turn_stats();
    for (transport, (family, count)) in by_transport(&stats.allocations_by_family) {
        let labels = [("transport", transport), ("family", family)];
        visitor(Row { name: "roundturn_turn_allocations", labels: &labels, value: Value::Shared(count as f64) });
    }
    for (transport, (family, count)) in by_transport(&stats.created) {
        let labels = [("transport", transport), ("family", family)];
        visitor(Row { name: "roundturn_turn_allocations_created_total", labels: &labels, value: Value::Count(count) });
    }
    for (transport, (reason, count)) in by_transport(&stats.closed) {
        let labels = [("transport", transport), ("reason", reason)];
        visitor(Row { name: "roundturn_turn_allocations_closed_total", labels: &labels, value: Value::Count(count) });
    }
    for (reason, count) in stats.failed.iter() {
        let labels = [("reason", reason)];
        visitor(Row { name: "roundturn_turn_allocation_failures_total", labels: &labels, value: Value::Count(count) });
    }
    let value = Value::Shared(stats.permissions as f64);
    visitor(Row { name: "roundturn_turn_permissions", labels: &[], value });
    let value = Value::Shared(stats.channels as f64);
    visitor(Row { name: "roundturn_turn_channels", labels: &[], value });
    let value = Value::Shared(stats.tcp_connections as f64);
    visitor(Row { name: "roundturn_turn_tcp_connections", labels: &[], value });
}

/// What the TURN server relayed in all, less what stayed inside the shard, went through sockets.
fn relayed(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    let (stats, inside) = (sample.core.turn_stats(), sample.core.inside());
    let mut direction = |direction, all: Relayed, inside: Traffic| {
        let paths = [
            ("external", all.packets.saturating_sub(inside.packets), all.bytes.saturating_sub(inside.bytes)),
            ("internal", inside.packets, inside.bytes),
        ];
        for (path, packets, bytes) in paths {
            let labels = [("direction", direction), ("path", path)];
            visitor(Row { name: "roundturn_relay_packets_total", labels: &labels, value: Value::Count(packets) });
            visitor(Row { name: "roundturn_relay_bytes_total", labels: &labels, value: Value::Count(bytes) });
        }
    };
    direction("client_to_peer", stats.to_peers, inside.to_peer);
    direction("peer_to_client", stats.to_clients, inside.to_client);
    let labels = [("direction", "client_to_peer"), ("reason", "not_ours")];
    let value = Value::Count(inside.nowhere);
    visitor(Row { name: "roundturn_relay_packets_dropped_total", labels: &labels, value });
}

fn ports(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    let relays = &sample.sockets.relays;
    let value = Value::Own(relays.ports().range().len() as f64);
    visitor(Row { name: "roundturn_relay_ports", labels: &[], value });
    for (owner, name) in [(Owner::Turn, "turn"), (Owner::Sfu, "sfu")] {
        let value = Value::Own(relays.ports().in_use(owner) as f64);
        visitor(Row { name: "roundturn_relay_ports_in_use", labels: &[("owner", name)], value });
    }
    let labels = [("owner", "turn"), ("reason", "bind")];
    let value = Value::Count(relays.bind_failures());
    visitor(Row { name: "roundturn_relay_port_allocation_failures_total", labels: &labels, value });
}

fn sockets(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    let counters = &sample.sockets.counters;
    let lost =
        [("listener", counters.lost_by_listeners), ("sfu", counters.lost_by_sfu), ("relay", counters.lost_by_relays)];
    for (socket, count) in lost {
        let value = Value::Count(count);
        visitor(Row { name: "roundturn_udp_receive_queue_drops_total", labels: &[("socket", socket)], value });
    }
    let calls =
        [("receive", counters.received, counters.receive_calls), ("send", counters.sent.sent, counters.sent.calls)];
    for (op, packets, calls) in calls {
        let labels = [("op", op)];
        visitor(Row { name: "roundturn_udp_packets_total", labels: &labels, value: Value::Count(packets) });
        visitor(Row { name: "roundturn_udp_calls_total", labels: &labels, value: Value::Count(calls) });
    }
    for (reason, count) in [("full", counters.sent.full), ("refused", counters.sent.refused)] {
        let value = Value::Count(count);
        visitor(Row { name: "roundturn_udp_send_drops_total", labels: &[("reason", reason)], value });
    }
    let labels = [("shard", sample.shard)];
    visitor(Row { name: "roundturn_shard_busy_ratio", labels: &labels, value: Value::Own(sample.busy) });
    let value = Value::Count(sample.outgoing.lost());
    visitor(Row { name: "roundturn_shard_events_lost_total", labels: &[], value });
}

fn streams(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    let counters = sample.sockets.streams.counters();
    for (listener, count) in [("turn", counters.open[0]), ("turns", counters.open[1])] {
        let value = Value::Shared(count as f64);
        visitor(Row { name: "roundturn_stream_connections", labels: &[("listener", listener)], value });
    }
    for (result, count) in [("ok", counters.handshakes[0]), ("failed", counters.handshakes[1])] {
        let value = Value::Count(count);
        visitor(Row { name: "roundturn_tls_handshakes_total", labels: &[("result", result)], value });
    }
    for (end, count) in End::ALL.iter().zip(counters.ended) {
        let labels = [("reason", end.label())];
        visitor(Row { name: "roundturn_stream_ends_total", labels: &labels, value: Value::Count(count) });
    }
    let labels = [("direction", "peer_to_client"), ("reason", "slow_stream")];
    let value = Value::Count(counters.lost);
    visitor(Row { name: "roundturn_relay_packets_dropped_total", labels: &labels, value });
}

fn sfu(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    let stats = sample.core.sfu_stats();
    let now = [
        ("roundturn_sfu_rooms", stats.rooms),
        ("roundturn_sfu_participants", stats.participants),
        ("roundturn_sfu_participants_connected", stats.connected),
    ];
    for (name, value) in now {
        visitor(Row { name, labels: &[], value: Value::Shared(value as f64) });
    }
    for (kind, count) in [("audio", stats.audio_tracks), ("video", stats.video_tracks)] {
        let labels = [("kind", kind), ("direction", "in")];
        visitor(Row { name: "roundturn_sfu_tracks", labels: &labels, value: Value::Shared(count as f64) });
    }
    let rtp = [
        ("in", "audio", stats.audio_packets_in, stats.audio_bytes_in),
        ("in", "video", stats.video_packets_in, stats.video_bytes_in),
        ("out", "audio", stats.audio_packets_out, stats.audio_bytes_out),
        ("out", "video", stats.video_packets_out, stats.video_bytes_out),
    ];
    for (direction, kind, packets, bytes) in rtp {
        let labels = [("direction", direction), ("kind", kind)];
        visitor(Row { name: "roundturn_sfu_rtp_packets_total", labels: &labels, value: Value::Count(packets) });
        visitor(Row { name: "roundturn_sfu_rtp_bytes_total", labels: &labels, value: Value::Count(bytes) });
    }
    for (direction, count) in [("in", stats.keyframe_requests_in), ("out", stats.keyframe_requests_out)] {
        let labels = [("direction", direction)];
        visitor(Row { name: "roundturn_sfu_keyframe_requests_total", labels: &labels, value: Value::Count(count) });
    }
    for (result, count) in [("accepted", stats.offers_accepted), ("rejected", stats.offers_rejected)] {
        let value = Value::Count(count);
        visitor(Row { name: "roundturn_sfu_offers_total", labels: &[("result", result)], value });
    }
    let value = Value::Count(stats.unknown_datagrams);
    visitor(Row { name: "roundturn_sfu_unknown_datagrams_total", labels: &[], value });
    let value = Value::Count(stats.failures);
    visitor(Row { name: "roundturn_sfu_failures_total", labels: &[], value });
    limits(sample, visitor);
}

/// What participants were not let do, and how long they wait for pictures.
fn limits(sample: &Sample<'_>, visitor: &mut Visitor<'_>) {
    let stats = sample.core.sfu_stats();
    let limited = &stats.limited;
    let dropped = [
        ("packets", limited.packets),
        ("checks", limited.checks),
        ("records", limited.records),
        ("streams", limited.streams),
    ];
    for (reason, count) in dropped {
        let value = Value::Count(count);
        visitor(Row { name: "roundturn_sfu_datagrams_limited_total", labels: &[("reason", reason)], value });
    }
    for (direction, count) in [("in", stats.messages_in), ("out", stats.messages_out)] {
        let labels = [("direction", direction)];
        visitor(Row { name: "roundturn_sfu_messages_total", labels: &labels, value: Value::Count(count) });
    }
    let dropped = &stats.messages_dropped;
    for (reason, count) in
        [("forbidden", dropped.forbidden), ("sender", dropped.sender), ("receiver", dropped.receiver)]
    {
        let value = Value::Count(count);
        visitor(Row { name: "roundturn_sfu_messages_dropped_total", labels: &[("reason", reason)], value });
    }
    let value = Value::Count(stats.channels_closed);
    visitor(Row { name: "roundturn_sfu_data_channels_closed_total", labels: &[], value });
    let frames = &stats.first_frames;
    for (since, times) in [("slot", &frames.since_slot), ("join", &frames.since_join)] {
        for &(count, sum) in times.buckets() {
            let (labels, value) = ([("since", since)], Value::Times(count, sum));
            visitor(Row { name: "roundturn_sfu_first_frame_seconds", labels: &labels, value });
        }
    }
}

fn by_transport<K: Label>(
    tallies: &ByTransport<Tally<K>>,
) -> impl Iterator<Item = (&'static str, (&'static str, u64))> {
    tallies.iter().flat_map(|(transport, counts)| counts.iter().map(move |row| (transport, row)))
}
