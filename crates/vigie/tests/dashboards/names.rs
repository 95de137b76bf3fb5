//! Every metric and label used by the dashboards is in the catalogue.

use std::collections::BTreeSet;

use vigie::catalogue;

use crate::model::Dashboard;
use crate::query::{self, Use};

/// The reason for which no panel shows the metrics of the capture.
const CAPTURED: &str =
    "only the capture knows it, and the dashboards are the same for both sources";

/// The reason for which no panel shows the addresses of the app.
const ADDRESSES: &str =
    "most apps have one address; whether the app is reachable and all open connections are shown";

/// Metrics that no panel shows, each with its reason.
const NOT_SHOWN: &[(&str, &str)] = &[
    (
        "http_stream_first_byte_seconds",
        "most apps have no streams, and the latency of requests is shown",
    ),
    (
        "http_streams_open",
        "most apps have no streams; open connections are shown",
    ),
    (
        "http_response_first_byte_seconds",
        "the latency of requests is shown, which differs by the transfer of the body",
    ),
    (
        "http_websockets_open",
        "most apps have no WebSockets but those of Socket.IO, which are shown",
    ),
    (
        "http_requests_unreceived_total",
        "it is no fault of the app, and clients send these requests again",
    ),
    (
        "http_app_stall_seconds",
        "a stall shows in the latency of requests, and an alert tells it apart",
    ),
    ("tcp_payload_bytes_total", CAPTURED),
    ("tcp_connections_refused_total", CAPTURED),
    ("tcp_connections_reset_total", CAPTURED),
    ("tcp_segments_retransmitted_total", CAPTURED),
    ("vigie_capture_connections", CAPTURED),
    ("vigie_capture_segments_untracked_total", CAPTURED),
    ("vigie_capture_packets_total", CAPTURED),
    ("vigie_capture_packets_dropped_total", CAPTURED),
    ("vigie_capture_unseen_bytes_total", CAPTURED),
    ("vigie_capture_loss_ratio", CAPTURED),
    (
        "socketio_sessions_forgotten_total",
        "it stays 0 unless bytes of a connection are missed",
    ),
    (
        "vigie_requests_abandoned_total",
        "it stays 0 unless bytes of a connection are missed",
    ),
    ("vigie_gateway_app_up", ADDRESSES),
    ("vigie_gateway_app_connections", ADDRESSES),
    ("vigie_gateway_app_connect_failures_total", ADDRESSES),
    (
        "vigie_gateway_accept_failures_total",
        "it stays 0 unless file descriptors are missing; the log says so too",
    ),
    (
        "vigie_gateway_routes_retired_total",
        "a retired route is not requested any more; the routes and the requests without one are shown",
    ),
    (
        "process_virtual_memory_bytes",
        "address space costs nothing; the resident memory is shown",
    ),
    (
        "bullmq_job_count",
        "it is for the dashboards of others; bullmq_jobs and bullmq_jobs_retained are shown",
    ),
    (
        "bullmq_job_completed_total",
        "it is for the dashboards of others; bullmq_jobs_finished_total is shown",
    ),
    (
        "bullmq_job_failed_total",
        "it is for the dashboards of others; bullmq_jobs_finished_total is shown",
    ),
    (
        "vigie_queues_exporter",
        "it is 1 on at most one replica, and the metrics of queues themselves show that one exports",
    ),
    ("process_threads", "the configuration fixes it"),
    (
        "vigie_admin_requests_refused_total",
        "it stays 0 unless clients abuse the admin port; the log says so too",
    ),
    (
        "vigie_admin_connections_closed_total",
        "it stays 0 unless clients abuse the admin port; the log says so too",
    ),
    (
        "vigie_page_dashboards_unusable",
        "it changes when somebody changes the files; the page and the log name them",
    ),
    (
        "vigie_history_disk_up",
        "without history.path there is none; the alert VigieHistoryDisk looks at it",
    ),
    (
        "vigie_rule_evaluations_total",
        "it grows with the number of rules; what fails and what is missed is shown",
    ),
    (
        "vigie_rule_group_interval_seconds",
        "the settings and the rule files fix it",
    ),
    (
        "vigie_rule_group_last_evaluation_timestamp_seconds",
        "/api/v1/rules has it, and evaluations that are missed are counted",
    ),
    (
        "vigie_rule_state_disk_up",
        "without alerts.path and history.path there is none; the log says when it changes",
    ),
    (
        "vigie_config_last_reload_success_timestamp_seconds",
        "a reload is rare; vigie_config_last_reload_successful tells about a failed one",
    ),
    (
        "vigie_rule_alerts_refused_total",
        "it stays 0 unless a rule has thousands of alerts; the rule then shows the error",
    ),
    (
        "vigie_rule_template_failures_total",
        "the message itself shows the error",
    ),
    (
        "vigie_notifications_undelivered_total",
        "the log names each alert without a delivered message",
    ),
    (
        "vigie_notifications_outbox_age_seconds",
        "it is 0 unless a receiver fails, which is an alert of its own",
    ),
    (
        "vigie_notifications_alerts",
        "the alerts themselves are shown, by the page and by any client of /api/v2/alerts",
    ),
    (
        "vigie_notifications_refused_alerts_total",
        "it stays 0 unless there are thousands of alerts; the log says so too",
    ),
    (
        "vigie_config_last_reload_successful",
        "the log and the answer to the reload contain the mistake",
    ),
    (
        "bullmq_jobs_folded_total",
        "the panels by job name show the name other, and the log has the names",
    ),
    (
        "bullmq_outcomes_exact",
        "the events lost say when, and this stays as it is until a restart",
    ),
];

/// The labels of a metric, by the name of one of its samples.
fn labels_of(sample: &str) -> Option<BTreeSet<String>> {
    let metric = catalogue::all().into_iter().find_map(|meta| {
        let histogram = !meta.buckets.seconds.is_empty();
        let suffix = sample.strip_prefix(meta.name)?;
        let is_sample = match histogram {
            true => ["_bucket", "_sum", "_count"].contains(&suffix),
            false => suffix.is_empty(),
        };
        is_sample.then(|| meta.labels.iter().copied().chain(meta.scope))
    });
    // Scraping adds these two.
    let mut labels: BTreeSet<String> = ["job", "instance"].map(str::to_owned).into();
    labels.extend(metric?.map(str::to_owned));
    if sample.ends_with("_bucket") {
        labels.insert("le".to_owned());
    }
    Some(labels)
}

/// Every use of a metric, with its place.
fn uses() -> Vec<(String, Use)> {
    let mut found = Vec::new();
    for dashboard in Dashboard::sources() {
        for (place, text) in query::expressions(&dashboard) {
            let expr = query::parse(&text).unwrap();
            let place = format!("{}: {place}", dashboard.file);
            found.extend(
                query::uses(&expr)
                    .into_iter()
                    .map(|used| (place.clone(), used)),
            );
        }
    }
    found
}

#[test]
fn every_metric_and_label_exists() {
    for (place, used) in uses() {
        let Some(labels) = labels_of(&used.metric) else {
            panic!("{place}: no metric {}", used.metric);
        };
        let matched = used.matchers.iter().map(|matcher| matcher.name());
        let grouped = used
            .aggregate
            .iter()
            .flat_map(|(_, labels)| labels)
            .map(String::as_str);
        for label in matched.chain(grouped) {
            assert!(
                labels.contains(label),
                "{place}: {} has no label {label}",
                used.metric
            );
        }
    }
}

#[test]
fn variables_take_their_values_from_labels_that_exist() {
    for dashboard in Dashboard::sources() {
        for variable in dashboard
            .variables()
            .iter()
            .filter(|variable| variable["type"] == "query")
        {
            let (selector, label) = query::label_values(variable).unwrap();
            let used = query::uses(&query::parse(&selector).unwrap()).remove(0);
            assert!(
                labels_of(&used.metric).unwrap().contains(&label),
                "{selector}: {label}"
            );
        }
    }
}

/// A legend with a label that the result lacks shows an empty text.
#[test]
fn legends_name_labels_that_the_result_has() {
    for dashboard in Dashboard::sources() {
        for panel in dashboard.panels() {
            for (n, text) in panel.expressions().into_iter().enumerate() {
                let expr = query::parse(text).unwrap();
                let has = query::labels(&expr, &|metric| labels_of(metric).unwrap());
                for label in query::legend_labels(panel, n) {
                    assert!(
                        has.contains(label),
                        "{}: {text} has no label {label}",
                        panel.title()
                    );
                }
            }
        }
    }
}

#[test]
fn every_metric_is_shown_somewhere() {
    let used: BTreeSet<String> = uses().into_iter().map(|(_, used)| used.metric).collect();
    let shown = |name: &str| {
        let mut samples = ["", "_bucket", "_sum", "_count"].into_iter();
        samples.any(|suffix| used.contains(&format!("{name}{suffix}")))
    };
    for name in catalogue::all().into_iter().map(|meta| meta.name) {
        let excused = NOT_SHOWN.iter().find(|(hidden, _)| *hidden == name);
        match excused {
            None => assert!(shown(name), "{name} is on no dashboard"),
            Some((_, reason)) => assert!(!shown(name), "{name} is shown, although {reason}"),
        }
    }
}

/// Every replica reads the same Redis and exports the same values: their maximum is correct, their sum is not. The
/// expressions of the overview are those of the specification.
#[test]
fn queue_figures_are_never_summed_over_replicas() {
    let mut seen = 0;
    for (place, used) in uses() {
        let of_a_queue = labels_of(&used.metric).unwrap().contains("prefix");
        // A variable only lists label values.
        if !of_a_queue || place.ends_with("\"queue\"") {
            continue;
        }
        let (operator, labels) = used
            .aggregate
            .unwrap_or_else(|| panic!("{place}: {}", used.metric));
        assert_eq!(operator, "max", "{place}: {}", used.metric);
        for label in ["prefix", "queue"] {
            assert!(
                labels.iter().any(|by| by == label),
                "{place}: {}",
                used.metric
            );
        }
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
}
