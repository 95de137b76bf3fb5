//! What is known goes into the history, every 15 s, as Prometheus would scrape it: at the same times, with the
//! labels `job` and `instance`, and `up` beside it.

mod opening;

use std::time::Duration;

use crate::metrics;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use vigie_history::{Appender, DiskState, History};
use vigie_metrics::{Epoch, Family, Gauge, Registry, Scrape};
use vigie_probes::Clock;

pub(crate) use opening::{Current, load};

/// In milliseconds. Scrapes fall on its multiples, so that their times take no room.
const EVERY: i64 = 15_000;
/// A timer may be early by the clock on the wall.
const EARLY: i64 = 1_000;
/// After so many scrapes of which nothing was taken, the history is believed to lie in the future.
const MOST_LOST: u32 = 4;
const JOB: &str = "vigie";

/// Feeds the history from the registry.
pub(crate) struct Scraper {
    registry: Registry,
    current: Current,
    appender: Appender,
    refused: Family<Gauge, 1>,
    instance: String,
    clock: Clock,
    /// When this process began to count, in milliseconds.
    start: i64,
    /// The last scrape, as the registry numbers them.
    epoch: Epoch,
    last: Option<i64>,
    lost: u32,
    disk: DiskState,
}

impl Scraper {
    /// Registers what the history says about itself, too.
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
            start: clock.now().wall.as_millisecond(),
            clock,
            epoch: Epoch::START,
            last: None,
            lost: 0,
            disk: DiskState::Working,
        }
    }

    /// Scrapes at every multiple of [`EVERY`] until `stop`. Once a history is loaded, it goes on in that.
    pub(crate) async fn run(
        mut self,
        mut loading: Option<oneshot::Receiver<History>>,
        stop: CancellationToken,
    ) {
        loop {
            let now = self.clock.now().wall.as_millisecond();
            let wait = EVERY - now.rem_euclid(EVERY);
            let wait = tokio::time::sleep(Duration::from_millis(wait.unsigned_abs()));
            let loaded = tokio::select! {
                () = stop.cancelled() => return,
                () = wait => None,
                history = loaded(&mut loading) => Some(history),
            };
            self = match loaded {
                Some(history) => self.on_a_thread(|scraper| scraper.go_on_in(history)).await,
                None => self.scrape_once().await,
            };
        }
    }

    /// Scrapes now. The first scrape does not wait for a multiple of the interval.
    pub(crate) async fn scrape_once(self) -> Self {
        self.on_a_thread(Self::scrape).await
    }

    /// Does something on a thread that may wait for the disk; it does for a second at most.
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

    /// What was scraped meanwhile is in it when others see it.
    fn go_on_in(&mut self, history: History) {
        let mut appender = history.appender();
        opening::move_scrapes(&self.current.history(), &mut appender);
        self.appender = appender;
        if let DiskState::Failing(why) = history.stats().disk {
            error!(
                why,
                "history.path cannot be written; the history is kept in memory and written when that works again"
            );
            self.disk = DiskState::Failing(why);
        }
        self.current.is_now(history);
    }

    fn scrape(&mut self) {
        let now = self.clock.now().wall.as_millisecond();
        let time = match self.last {
            Some(_) => (now + EARLY).div_euclid(EVERY) * EVERY,
            None => now,
        };
        if self.last == Some(time) {
            return;
        }
        // Counts that are new were 0 at the scrape before; at the first scrape, when the process started.
        let before = self.last.replace(time);
        let zero_at = before.unwrap_or_else(|| self.start.min(time - 1));
        let epoch = self.registry.begin_scrape();
        let zero_since = std::mem::replace(&mut self.epoch, epoch);
        // With the appender of the scrapes, every series without a zero would end at `zero_at`.
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
        self.tell();
    }

    /// When the clock was ahead and is set right, all that is new would be refused until it is there again.
    fn follow_the_clock(&mut self, time: i64) {
        let newest = self.current.history().stats().newest;
        if self.lost >= MOST_LOST && newest > Some(time) {
            warn!(
                "the clock was set back: what the history holds of the time after now is dropped"
            );
            self.current.history().remove_after(time);
            self.lost = 0;
        }
    }

    /// Copies what the history counts, and logs when its disk fails or works again.
    fn tell(&mut self) {
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
                warn!(why, "the history cannot be written; it goes on in memory");
            }
            (DiskState::Working, DiskState::Failing(_)) => info!("the history is written again"),
            _ => {}
        }
        self.disk = stats.disk;
    }
}

/// The history that is loaded, when it is. Forever, when there is none to wait for.
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
