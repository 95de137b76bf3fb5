//! The memory bounds of each part of the process, whose sum must be below the limit of its container.
//!
//! The costs of single items were measured; `docs/memory.md` describes the method and lists the parts with the
//! defaults.

use std::fs;

use tracing::{info, warn};

use vigie_config::Settings;

use crate::admin;
use crate::alerting::{EVALUATORS, places};

/// The program itself, runtimes and threads, TLS, checks, election: 2.5 MiB of heap when idle, and headroom.
const BASE: u64 = 16 << 20;
/// A client connected to the gateway, with its task and the buffers of a head: 20 KiB measured.
const CONNECTION: u64 = 20 << 10;
/// A captured connection, without heads that are incomplete. An estimate.
const CAPTURED: u64 = 2 << 10;
/// A Socket.IO session in the gateway's table: up to 270 bytes measured.
const SESSION: u64 = 288;
/// Series of the gateway for one route: methods, statuses and buckets. An estimate.
const ROUTE: u64 = 24 << 10;
/// A queue: its state and its series (15 KiB measured), its part of a scraped page (4.4 KiB, doubled while the page
/// grows) and of a scrape for the history; and the reasons of its failures, which have a limit of 8 KiB.
const QUEUE: u64 = (25 + 8) << 10;

/// A pending or firing alert: in the engine, as published for the API, as saved, and in the notifier. An estimate.
const ALERT: u64 = 6 << 10;
/// The memory of an evaluation beyond its budget is at most this fraction (1/4) of it, as for queries.
const BEYOND: usize = 4;

/// A part of the process and its maximum memory.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its name, and the setting that bounds it.
    pub name: &'static str,
    /// In bytes.
    pub bytes: u64,
}

/// The parts, for these settings.
#[must_use]
pub fn parts(settings: &Settings) -> Vec<Part> {
    let part = |name, bytes| Part { name, bytes };
    let times = |count: usize, bytes: u64| bytes.saturating_mul(count as u64);
    let mut parts = vec![
        part("the program", BASE),
        part("history (`history.max_bytes`)", settings.history.max_bytes),
        part(
            "queries (`query.max_concurrency`, `query.max_memory`)",
            settings.query.memory() as u64,
        ),
        part(
            "requests to the admin port",
            admin::memory(settings.query.form_bytes()) as u64,
        ),
    ];
    let evaluation = settings.alerts.max_memory;
    let evaluation = evaluation.saturating_add(evaluation / BEYOND);
    parts.extend([
        part(
            "evaluation of rules (`alerts.max_memory`)",
            times(EVALUATORS, evaluation as u64),
        ),
        part(
            "alerts (`alerts.max_alerts`)",
            times(places(settings.alerts.max_alerts), ALERT),
        ),
    ]);
    if let Some(gateway) = &settings.gateway {
        parts.extend([
            part(
                "clients of the gateway (`gateway.max_connections`)",
                times(gateway.proxy.max_connections, CONNECTION),
            ),
            part(
                "Socket.IO sessions (`gateway.max_sessions`)",
                times(gateway.proxy.traffic.max_sessions, SESSION),
            ),
            part(
                "routes (`gateway.learned_routes`, `gateway.routes`)",
                times(
                    gateway.proxy.traffic.learned_routes + gateway.proxy.traffic.routes.len(),
                    ROUTE,
                ),
            ),
        ]);
    }
    if let Some(capture) = &settings.capture {
        let routes = capture.traffic.learned_routes + capture.traffic.routes.len();
        parts.extend([
            part(
                "packets (`capture.ring_bytes`)",
                capture.source.ring_bytes as u64,
            ),
            part(
                "captured connections (`capture.max_connections`)",
                times(capture.source.limits.connections, CAPTURED)
                    + capture.source.limits.held_bytes as u64,
            ),
            part(
                "Socket.IO sessions (`capture.max_sessions`)",
                times(capture.traffic.max_sessions, SESSION),
            ),
            part(
                "routes (`capture.learned_routes`, `capture.routes`)",
                times(routes, ROUTE),
            ),
        ]);
    }
    if settings.page.dashboards.is_some() {
        parts.push(part(
            "dashboards (`page.dashboards`)",
            admin::dashboards::MEMORY,
        ));
    }
    if let Some(redis) = &settings.redis {
        parts.push(part(
            "queues (`redis.max_queues`)",
            times(redis.max_queues, QUEUE),
        ));
    }
    parts
}

/// The sum of the parts, in bytes.
#[must_use]
pub fn total(parts: &[Part]) -> u64 {
    let bytes = parts.iter().map(|part| part.bytes);
    bytes.fold(0, u64::saturating_add)
}

/// Warns if the settings allow more memory than the container has.
pub(crate) fn compare_with_limit(settings: &Settings) {
    let bytes = total(&parts(settings));
    let limit = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
    .into_iter()
    .find_map(|path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    match limit {
        Some(limit) if bytes > limit => warn!(
            bytes,
            limit,
            "the settings allow for more memory than the container has; lower history.max_bytes, query.max_memory, \
             redis.max_queues or gateway.max_connections, or raise its limit"
        ),
        _ => info!(bytes, "maximum memory that the settings allow"),
    }
}
