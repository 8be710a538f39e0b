//! Prometheus: the recorder of the whole process, and its page.

use std::time::Duration;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::meter::HANDLERS;

/// Bounds of every histogram of seconds, from a quarter of a millisecond to ten seconds.
const SECONDS: &[f64] = &[0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds of every histogram of packets.
const PACKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// How often histograms are folded together, so that they take no memory while nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the process's recorder and makes the metrics of signaling, HTTP and the self-test, at zero.
///
/// # Errors
/// When a recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_packets".into()), PACKETS)?
        .install_recorder()?;
    describe();
    crate::signal::describe_metrics();
    Ok(handle)
}

/// The latest self-test, as metrics. `unix_secs` is when it ran.
pub fn self_test(unix_secs: u64, success: bool, round_trip: Option<Duration>) {
    gauge!("roundturn_selftest_success", "check" => "turn_udp").set(f64::from(u8::from(success)));
    gauge!("roundturn_selftest_last_run_timestamp_seconds", "check" => "turn_udp").set(unix_secs as f64);
    if let Some(round_trip) = round_trip {
        gauge!("roundturn_selftest_round_trip_seconds", "check" => "turn_udp").set(round_trip.as_secs_f64());
    }
}

/// Bytes relayed this month, and how many may be; 0: any number.
pub fn month(used: u64, limit: u64) {
    gauge!("roundturn_relay_month_bytes").set(used as f64);
    gauge!("roundturn_relay_month_limit_bytes").set(limit as f64);
}

/// The certificate that TLS uses from now on. `not_after` is when it ends, in seconds since 1970.
pub fn certificate(not_after: u64) {
    gauge!("roundturn_tls_certificate_expiry_timestamp_seconds", "name" => "turn").set(not_after as f64);
}

/// Settings were read anew, and taken or refused.
pub fn config_reload(applied: bool) {
    let result = if applied { "applied" } else { "refused" };
    counter!("roundturn_config_reloads_total", "result" => result).increment(1);
}

/// The page.
pub async fn render(handle: PrometheusHandle) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}

/// Keeps histograms small, for ever.
pub async fn upkeep(handle: PrometheusHandle) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        handle.run_upkeep();
    }
}

fn describe() {
    describe_counter!("roundturn_http_requests_total", "HTTP requests.");
    describe_histogram!("roundturn_http_request_duration_seconds", "HTTP request duration.");
    for handler in HANDLERS {
        let code = if *handler == "ws" { "101" } else { "200" };
        counter!("roundturn_http_requests_total", "handler" => *handler, "code" => code).absolute(0);
    }
    describe_gauge!("roundturn_selftest_success", "Result of the latest run of each self test (1 pass, 0 fail).");
    describe_gauge!("roundturn_selftest_last_run_timestamp_seconds", "Unix time of the latest run of each self test.");
    describe_gauge!("roundturn_selftest_round_trip_seconds", "Round trip time measured by the latest self test.");
    self_test(0, false, Some(Duration::ZERO));
    describe_gauge!(
        "roundturn_tls_certificate_expiry_timestamp_seconds",
        "Unix time at which the certificate in use expires."
    );
    describe_gauge!(
        "roundturn_relay_month_bytes",
        "Payload bytes relayed in this calendar month (UTC), both directions; since the start where no state is kept."
    );
    describe_gauge!("roundturn_relay_month_limit_bytes", "limits.monthly_bytes; 0: no limit.");
    month(0, 0);
    describe_counter!("roundturn_config_reloads_total", "Configurations read anew while running, by result.");
    for result in ["applied", "refused"] {
        counter!("roundturn_config_reloads_total", "result" => result).absolute(0);
    }
    describe_gauge!("roundturn_build_info", "Build information; constant 1.");
    gauge!("roundturn_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
