//! The checks of the settings.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use secrecy::ExposeSecret as _;
use tracing::{error, info, warn};
use vigie_bullmq::Watcher;
use vigie_config::{Check, Settings};
use vigie_metrics::Registry;
use vigie_probes::{self as probes, Checks, Clock};
use vigie_redis::Endpoint;

use crate::queues::QueueCounts;

/// The check of the database; also used by `vigie check`.
pub(crate) fn database_check(database: &vigie_config::Database) -> Result<probes::Sql> {
    let check = probes::Sql::new("database", database.url.expose_secret());
    let check = check.context("database.url")?;
    Ok(check.relogin_every(database.relogin_every))
}

/// The check of Redis; also used by `vigie check`.
pub(crate) fn redis_check(redis: &vigie_bullmq::Settings) -> probes::Redis {
    probes::Redis::at("redis", login_database(redis))
}

/// The database that the address names, or else the first one that is watched.
pub(crate) fn login_database(redis: &vigie_bullmq::Settings) -> Endpoint {
    let first = redis.databases.first().copied();
    redis.redis.clone().or_in_database(first)
}

/// The check of the app; also used by `vigie check`.
pub(crate) fn app_check(
    gateway: &vigie_config::Gateway,
    checks: &vigie_config::Checks,
) -> Result<probes::App> {
    let urls = gateway.proxy.apps.iter();
    let urls: Vec<String> = urls.map(|app| format!("http://{app}")).collect();
    let app = probes::App::new("app", &urls).context("gateway.app")?;
    Ok(app.asks(checks.app_request.clone()))
}

/// All checks of the settings.
///
/// # Errors
/// If an address cannot be used.
pub(crate) fn build(
    settings: &Settings,
    watcher: Option<&Watcher>,
    clock: Clock,
    registry: &Registry,
) -> Result<Checks> {
    let every = &settings.checks;
    let how = |check: Check, source| probes::Settings {
        required: check.required,
        period: every.period,
        timeout: every.timeout,
        source,
    };
    let mut builder = Checks::builder(clock);
    if let Some(database) = &settings.database {
        let check = database_check(database)?;
        builder = builder.check(check, how(every.database, Some("database")));
    }
    if let Some(redis) = &settings.redis {
        builder = builder.check(redis_check(redis), how(every.redis, None));
    }
    if let Some(watcher) = watcher {
        let stale_after = every.period + every.timeout;
        let counts = QueueCounts::new(watcher.clone(), stale_after);
        // In a cluster a queue may be on another node than the one in the reason of the check.
        let is_cluster = settings
            .redis
            .as_ref()
            .is_some_and(|redis| redis.redis.is_cluster());
        let server = (!is_cluster).then_some("redis");
        builder = builder.source(Arc::new(counts), every.queues.required, server);
    }
    if let Some(gateway) = &settings.gateway {
        builder = builder.check(app_check(gateway, every)?, how(every.app, Some("app")));
    }
    for exposed in &settings.exposed {
        warn!("{exposed}");
    }
    for vigie_config::Unusable { check, reason, .. } in &settings.unusable {
        error!(check, %reason, "a setting cannot be used; Vigie runs and the check fails");
    }
    // A check that could be built reports the reason itself, and recovers once its files can be read.
    let missing = [
        (settings.database.is_none(), "database", every.database),
        (settings.redis.is_none(), "redis", every.redis),
    ];
    for (_, name, check) in missing.into_iter().filter(|(is_missing, ..)| *is_missing) {
        let mut unusable = settings.unusable.iter();
        if let Some(found) = unusable.find(|unusable| unusable.check == name) {
            builder = builder.check(unusable_check(name, found), how(check, None));
        }
    }
    for section in settings.unwatched() {
        info!(section, "not configured, so not watched");
        builder = builder.unwatched(section);
    }
    Ok(builder.build(registry))
}

/// A check that fails with the reason. If a file with an address is the cause, it is read again until it can be used;
/// that of Redis is read again by its own check.
fn unusable_check(name: &'static str, found: &vigie_config::Unusable) -> probes::Unusable {
    let failing = probes::Unusable::new(name, &found.reason);
    let Some(file) = found.file.clone() else {
        return failing;
    };
    failing.retry(move || {
        let address = vigie_config::secret_file(&file)?;
        let check = probes::Sql::new(name, &address);
        Ok(Box::new(check.map_err(|error| error.to_string())?))
    })
}
