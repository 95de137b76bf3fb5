//! The settings of the rules, for the rule engine.

use std::net::SocketAddr;

use vigie_alerts::engine::{Defaults, Limits, Time};
use vigie_config::Settings;
use vigie_promql::{Engine, Labels};

use super::{context, links};
use crate::history::EVERY;

/// The settings that all groups share.
pub(super) fn defaults(settings: &Settings, address: SocketAddr) -> Defaults {
    let alerts = &settings.alerts;
    let url = settings.page.external_url.clone();
    Defaults {
        interval: alerts.interval,
        query_offset: alerts.query_offset,
        external_labels: Labels::new(alerts.external_labels.iter().cloned()),
        external_url: url.unwrap_or_else(|| links::page(address)).into(),
        limits: Limits {
            alerts: alerts.max_alerts,
            ..Limits::default()
        },
    }
}

/// The data that all evaluations of a process share that started at `started`.
pub(super) fn context(
    settings: &Settings,
    address: SocketAddr,
    started: Time,
) -> context::Settings {
    context::Settings {
        engine: evaluator(settings),
        instance: address.to_string(),
        configured: match settings.redis {
            Some(_) => vec!["redis", "events"],
            None => Vec::new(),
        },
        started,
        settled: settings.redis.as_ref().map_or(0, settled),
    }
}

/// The time after which all values of the queues have been read and scraped, in milliseconds.
fn settled(redis: &vigie_bullmq::Settings) -> Time {
    let slowest = redis.levels_every.max(redis.signals_every);
    let slowest = slowest.max(redis.workers_every);
    let slowest = i64::try_from(slowest.as_millis()).unwrap_or(i64::MAX);
    slowest.saturating_add(EVERY)
}

/// The evaluator of rules: the lookback and the series of queries, with a memory of its own.
fn evaluator(settings: &Settings) -> Engine {
    let mut limits = settings.query.limits;
    limits.bytes = settings.alerts.max_memory;
    Engine {
        lookback: settings.query.lookback,
        limits,
        ..Engine::default()
    }
}
