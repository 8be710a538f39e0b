//! The hub's counters as Prometheus metrics.

use metrics::{counter, describe_counter, describe_histogram, histogram};

use super::record::Stage;
use super::stats::{Api, IN, JOINS, OUT, Stats};
use crate::config::RoomMode;

/// Brings the metrics to where the counters are.
pub fn export(stats: &mut Stats) {
    for (direction, words, counts) in [("in", IN, stats.frames_in()), ("out", OUT, stats.frames_out())] {
        for kind in words {
            counter!("roundturn_signal_messages_total", "direction" => direction, "type" => *kind)
                .absolute(counts.of(kind));
        }
    }
    for result in JOINS {
        counter!("roundturn_sfu_joins_total", "result" => *result).absolute(stats.joins().of(result));
    }
    for (api, label) in Api::ALL {
        counter!("roundturn_ice_credentials_issued_total", "api" => label).absolute(stats.issued(api));
    }
    for mode in [RoomMode::Mesh, RoomMode::Sfu] {
        for (stage, label) in Stage::ALL {
            counter!("roundturn_sessions_ended_total", "mode" => mode.as_str(), "last_stage" => label)
                .absolute(stats.sessions(mode, stage));
        }
    }
    for duration in stats.join_durations.drain(..) {
        histogram!("roundturn_sfu_join_duration_seconds").record(duration.as_secs_f64());
    }
}

/// Counts a client that fell behind.
pub fn slow_consumer_closed() {
    counter!("roundturn_signal_slow_consumers_closed_total").increment(1);
}

/// Tells what the metrics mean, and makes each one at zero.
pub fn describe() {
    describe_counter!("roundturn_signal_messages_total", "Signaling messages.");
    describe_counter!(
        "roundturn_signal_slow_consumers_closed_total",
        "WebSocket clients closed because their send queue was full."
    );
    describe_counter!("roundturn_sfu_joins_total", "Join attempts by outcome.");
    describe_counter!("roundturn_ice_credentials_issued_total", "TURN credentials issued over HTTP or signaling.");
    describe_counter!("roundturn_sessions_ended_total", "Sessions that ended, by the last stage that they reached.");
    describe_counter!("roundturn_webhooks_total", "Events for webhooks, by what became of them.");
    describe_histogram!("roundturn_sfu_join_duration_seconds", "Time from join message to first connected transport.");
    export(&mut Stats::default());
    counter!("roundturn_signal_slow_consumers_closed_total").absolute(0);
}

/// An event had no place in the queue of those who carry it.
pub fn happening_lost() {
    counter!("roundturn_webhooks_total", "result" => "dropped").increment(1);
}
