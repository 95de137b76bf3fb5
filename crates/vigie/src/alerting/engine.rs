//! The settings of the rules, for the rule engine.

use std::net::SocketAddr;

use vigie_alerts::engine::{Defaults, Limits, Time};
use vigie_config::Settings;
use vigie_promql::{Engine, Labels};

use super::sources::Source;
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
        features: settings.query.features,
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
        configured: configured(settings),
        started,
        settled: settled(settings),
    }
}

/// The sources that tell whether they can be read.
fn configured(settings: &Settings) -> Vec<Source> {
    let redis = settings.redis.iter().flat_map(|_| ["redis", "events"]);
    let capture = settings.capture.iter().map(|_| "capture");
    redis.chain(capture).collect()
}

/// The time after which all values of a source that can be read again have been read and scraped, in milliseconds.
fn settled(settings: &Settings) -> Time {
    let queues = settings.redis.as_ref().map(|redis| {
        let slowest = redis.levels_every.max(redis.signals_every);
        slowest.max(redis.workers_every)
    });
    let sockets = settings.capture.as_ref();
    let sockets = sockets.map(|capture| capture.source.settle);
    let Some(slowest) = queues.max(sockets) else {
        return 0;
    };
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
