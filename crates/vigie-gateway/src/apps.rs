//! The addresses of the app, and which of them a connection gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use vigie_metrics::{Counter, Family, Gauge, Registry, Series};

use crate::metrics;

/// How long an address that accepted no connection is only tried after the others.
const AVOIDED: Duration = Duration::from_secs(5);

/// All addresses of the app.
pub(crate) struct Apps {
    apps: Vec<App>,
    /// Distributes connections among addresses with equally many.
    turn: AtomicUsize,
    up: Family<Gauge, 1>,
    failures: Family<Counter, 1>,
    /// Whether any address accepts connections.
    any_up: Arc<Series<Gauge, 1>>,
}

struct App {
    address: String,
    open: AtomicUsize,
    connections: Arc<Series<Gauge, 1>>,
    /// When the last connection failed, in milliseconds from 1; 0 if it did not.
    failed: AtomicU64,
}

impl Apps {
    pub(crate) fn new(addresses: &[String], registry: &Registry) -> Self {
        let connections = registry.family(&metrics::GATEWAY_APP_CONNECTIONS);
        let failures = registry.family(&metrics::GATEWAY_APP_CONNECT_FAILURES);
        let apps = addresses.iter().map(|address| {
            failures.add([address], 0);
            App {
                address: address.clone(),
                open: AtomicUsize::new(0),
                connections: connections.series([address]),
                failed: AtomicU64::new(0),
            }
        });
        Self {
            apps: apps.collect(),
            turn: AtomicUsize::new(0),
            up: registry.family(&metrics::GATEWAY_APP_UP),
            failures,
            any_up: registry
                .family(&vigie_metrics::own::SOURCE_UP)
                .series(["app"]),
        }
    }

    /// The address with the fewest connections that was not tried yet.
    pub(crate) fn choose(self: &Arc<Self>, tried: &Tried, now: Duration) -> Option<Chosen> {
        let count = self.apps.len();
        let turn = match count {
            1 => 0,
            _ => self.turn.fetch_add(1, Relaxed),
        };
        let left = (0..count).filter(|place| !tried.0.contains(place));
        let place = left.min_by_key(|place| {
            let app = &self.apps[*place];
            let distance = (place + count - turn % count) % count;
            (app.is_avoided(now), app.open.load(Relaxed), distance)
        })?;
        let app = &self.apps[place];
        app.open.fetch_add(1, Relaxed);
        app.connections.add(1.0);
        Some(Chosen {
            apps: Arc::clone(self),
            place,
        })
    }
}

impl App {
    fn is_avoided(&self, now: Duration) -> bool {
        let failed = self.failed.load(Relaxed);
        failed > 0 && now < Duration::from_millis(failed) + AVOIDED
    }
}

/// The addresses that accepted no connection for a client.
#[derive(Default)]
pub(crate) struct Tried(Vec<usize>);

/// The address of a connection, until it is dropped.
pub(crate) struct Chosen {
    apps: Arc<Apps>,
    place: usize,
}

impl Chosen {
    fn app(&self) -> &App {
        &self.apps.apps[self.place]
    }

    pub(crate) fn address(&self) -> &str {
        &self.app().address
    }

    /// It accepted a connection.
    pub(crate) fn accepted(&self) {
        self.app().failed.store(0, Relaxed);
        self.apps.up.series([self.address()]).set(1.0);
        self.apps.any_up.set(1.0);
    }

    /// It accepted no connection, so another one is tried.
    pub(crate) fn failed(self, tried: &mut Tried, now: Duration) {
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.app().failed.store(millis + 1, Relaxed);
        self.apps.up.series([self.address()]).set(0.0);
        self.apps.failures.inc([self.address()]);
        let mut all = self.apps.apps.iter();
        if all.all(|app| app.failed.load(Relaxed) > 0) {
            self.apps.any_up.set(0.0);
        }
        tried.0.push(self.place);
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        self.app().open.fetch_sub(1, Relaxed);
        self.app().connections.add(-1.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn apps(count: usize) -> Arc<Apps> {
        let addresses: Vec<String> = (0..count).map(|n| format!("app-{n}:3000")).collect();
        Arc::new(Apps::new(&addresses, &Registry::new()))
    }

    #[test]
    fn connections_are_distributed_evenly_and_follow_those_that_end() {
        let apps = apps(3);
        let choose = || apps.choose(&Tried::default(), Duration::ZERO).unwrap();
        let mut chosen: Vec<Chosen> = (0..9).map(|_| choose()).collect();
        for place in 0..3 {
            let of_it = chosen.iter().filter(|chosen| chosen.place == place);
            assert_eq!(of_it.count(), 3);
        }
        chosen.retain(|chosen| chosen.place != 1);
        let next: Vec<Chosen> = (0..3).map(|_| choose()).collect();
        assert!(next.iter().all(|chosen| chosen.place == 1));
    }

    #[test]
    fn an_address_that_failed_is_tried_last_for_a_while() {
        let apps = apps(2);
        let mut tried = Tried::default();
        let at = |seconds| Duration::from_secs(seconds);
        let first = apps.choose(&tried, at(1)).unwrap();
        let (failed, other) = (first.place, 1 - first.place);
        first.failed(&mut tried, at(1));
        assert_eq!(apps.any_up.get(), None, "the other one was not tried");
        let second = apps.choose(&tried, at(1)).unwrap();
        assert_eq!(second.place, other);
        second.accepted();
        assert_eq!(apps.any_up.get(), Some(1.0));
        let mut nothing = Tried::default();
        // Although it has more connections.
        assert_eq!(apps.choose(&nothing, at(2)).unwrap().place, other);
        let third = apps.choose(&nothing, at(7)).unwrap();
        assert_eq!(third.place, failed);
        third.failed(&mut nothing, at(7));
        second.failed(&mut nothing, at(7));
        assert!(apps.choose(&nothing, at(7)).is_none());
        assert_eq!(apps.any_up.get(), Some(0.0));
    }
}
