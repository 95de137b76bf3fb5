//! Scrapes the registry into the history every 15 s, as Prometheus would: at fixed times, with the labels `job` and
//! `instance`, and with `up`.

mod opening;

use std::time::Duration;

use crate::metrics;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use vigie_history::{Appender, DiskState, History};
use vigie_metrics::{Epoch, Family, Gauge, Registry, Scrape};
use vigie_probes::Clock;

pub(crate) use opening::{Current, load};

/// In milliseconds. Scrapes happen at multiples of it, so that their timestamps compress to almost nothing.
pub(crate) const EVERY: i64 = 15_000;
/// Tolerance for a timer that fires early by the wall clock, in milliseconds.
const EARLY: i64 = 1_000;
/// After this many consecutive scrapes without an accepted sample, the history is assumed to be ahead of the clock.
const MAX_LOST: u32 = 4;
/// The label `job` of the scraped series.
pub(crate) const JOB: &str = "vigie";

/// Scrapes the registry into the history.
pub(crate) struct Scraper {
    registry: Registry,
    current: Current,
    appender: Appender,
    refused: Family<Gauge, 1>,
    instance: String,
    clock: Clock,
    /// When the counters of this process started at 0, in milliseconds.
    start: i64,
    /// The last scrape, by the numbering of the registry.
    epoch: Epoch,
    last: Option<i64>,
    lost: u32,
    disk: DiskState,
    /// Receives the time of each scrape.
    scraped: watch::Sender<i64>,
}

impl Scraper {
    /// Creates the scraper, and registers the metrics of the history itself.
    pub(crate) fn new(
        registry: &Registry,
        current: &Current,
        instance: String,
        clock: Clock,
    ) -> Self {
        register(registry, current);
        Self {
            registry: registry.clone(),
            current: current.clone(),
            appender: current.history().appender(),
            refused: registry.family(&metrics::HISTORY_REFUSED),
            instance,
            start: clock.millis(),
            clock,
            epoch: Epoch::START,
            last: None,
            lost: 0,
            disk: DiskState::Working,
            scraped: watch::Sender::new(i64::MIN),
        }
    }

    /// The time of the last scrape, for tasks that wait for the next one.
    pub(crate) fn scrapes(&self) -> watch::Receiver<i64> {
        self.scraped.subscribe()
    }

    /// Scrapes at every multiple of [`EVERY`] until `stop`. Switches to the loaded history once there is one.
    pub(crate) async fn run(
        mut self,
        mut loading: Option<oneshot::Receiver<History>>,
        stop: CancellationToken,
    ) {
        loop {
            let now = self.clock.millis();
            let wait = EVERY - now.rem_euclid(EVERY);
            let wait = tokio::time::sleep(Duration::from_millis(wait.unsigned_abs()));
            let loaded = tokio::select! {
                () = stop.cancelled() => return,
                () = wait => None,
                history = loaded(&mut loading) => Some(history),
            };
            self = match loaded {
                Some(history) => self.on_a_thread(|scraper| scraper.switch_to(history)).await,
                None => self.scrape_once().await,
            };
        }
    }

    /// Scrapes immediately. The first scrape does not wait for a multiple of the interval.
    pub(crate) async fn scrape_once(self) -> Self {
        self.on_a_thread(Self::scrape).await
    }

    /// Runs `what` on a thread that may wait for the disk, for at most a second.
    async fn on_a_thread(mut self, what: impl FnOnce(&mut Self) + Send + 'static) -> Self {
        let done = tokio::task::spawn_blocking(move || {
            what(&mut self);
            self
        });
        match done.await {
            Ok(scraper) => scraper,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Switches to `history`. Scrapes taken in the meantime are moved into it before others can read it.
    fn switch_to(&mut self, history: History) {
        let mut appender = history.appender();
        opening::move_scrapes(&self.current.history(), &mut appender);
        self.appender = appender;
        if let DiskState::Failing(why) = history.stats().disk {
            error!(
                why,
                "history.path cannot be written; the history is kept in memory until it can be written"
            );
            self.disk = DiskState::Failing(why);
        }
        self.current.is_now(history);
    }

    fn scrape(&mut self) {
        let now = self.clock.millis();
        let time = match self.last {
            Some(_) => (now + EARLY).div_euclid(EVERY) * EVERY,
            None => now,
        };
        if self.last == Some(time) {
            return;
        }
        // New counters had the value 0 at the previous scrape; at the first scrape, when the process started.
        let before = self.last.replace(time);
        let zero_at = before.unwrap_or_else(|| self.start.min(time - 1));
        let epoch = self.registry.begin_scrape();
        let zero_since = std::mem::replace(&mut self.epoch, epoch);
        // With the appender of the scrapes, every series without a zero would become stale at `zero_at`.
        let mut appender = self.current.history().appender();
        let mut zeros = appender.scrape(zero_at);
        let mut has_zeros = false;
        let mut samples = Vec::new();
        let own = [("instance", &*self.instance), ("job", JOB)];
        let mut sample = |name: &str, labels: &[(&str, &str)], value, is_new| {
            let mut all = [&[("__name__", name)], &own[..], labels].concat();
            all.sort_unstable();
            let Some(series) = zeros.series(&all) else {
                return;
            };
            if is_new && value != 0.0 {
                zeros.sample(series, 0.0);
                has_zeros = true;
            }
            samples.push((series, value));
        };
        let scrape = Scrape { epoch, zero_since };
        self.registry.visit_new(scrape, &mut sample);
        sample("up", &[], 1.0, false);
        match has_zeros {
            true => drop(zeros.commit()),
            false => drop(zeros),
        }
        let mut scrape = self.appender.scrape(time);
        for (series, value) in samples {
            scrape.sample(series, value);
        }
        let committed = scrape.commit();
        self.lost = if committed.samples == 0 {
            self.lost + 1
        } else {
            0
        };
        self.follow_the_clock(time);
        self.scraped.send_replace(time);
        self.report_disk();
    }

    /// If the clock was ahead and is set back, all new samples would be refused until it reaches the old time again.
    fn follow_the_clock(&mut self, time: i64) {
        let newest = self.current.history().stats().newest;
        if self.lost >= MAX_LOST && newest > Some(time) {
            warn!(
                "the clock was set back; samples of the history with later timestamps are dropped"
            );
            self.current.history().remove_after(time);
            self.lost = 0;
        }
    }

    /// Copies the counters of the history, and logs when its disk fails or recovers.
    fn report_disk(&mut self) {
        let stats = self.current.history().stats();
        let refused = stats.committed.refused;
        for (reason, count) in [
            ("out_of_order", refused.out_of_order),
            ("duplicate", refused.duplicate),
            ("too_old", refused.too_old),
            ("series_limit", refused.series_limit),
        ] {
            self.refused.set([reason], count as f64);
        }
        if stats.disk == self.disk {
            return;
        }
        match (&stats.disk, &self.disk) {
            (DiskState::Failing(why), DiskState::Working) => {
                warn!(why, "the history cannot be written; it is kept in memory");
            }
            (DiskState::Working, DiskState::Failing(_)) => info!("the history is written again"),
            _ => {}
        }
        self.disk = stats.disk;
    }
}

/// Waits for the loaded history; forever if none is loading.
async fn loaded(loading: &mut Option<oneshot::Receiver<History>>) -> History {
    if let Some(receiver) = loading {
        let history = receiver.await;
        *loading = None;
        if let Ok(history) = history {
            return history;
        }
    }
    std::future::pending().await
}

fn register(registry: &Registry, current: &Current) {
    let of = |read: fn(&History) -> Option<f64>| {
        let current = current.clone();
        move || read(&current.history())
    };
    registry.collect(
        &metrics::HISTORY_SERIES,
        of(|history| Some(history.stats().series as f64)),
    );
    registry.collect(
        &metrics::HISTORY_BYTES,
        of(|history| Some(history.stats().bytes as f64)),
    );
    registry.collect(
        &metrics::HISTORY_OLDEST,
        of(|history| Some(history.stats().oldest? as f64 / 1e3)),
    );
    registry.collect(
        &metrics::HISTORY_SAMPLES,
        of(|history| Some(history.stats().committed.samples as f64)),
    );
    let current = current.clone();
    registry.collect(&metrics::HISTORY_DISK_UP, move || {
        match current.history().stats().disk {
            DiskState::Off => current.lacks_disk().then_some(0.0),
            DiskState::Working => Some(1.0),
            DiskState::Failing(_) => Some(0.0),
        }
    });
}

#[cfg(test)]
mod tests;
