//! Runs the checks in the background and keeps what they came to.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use vigie_metrics::Registry;

use crate::check::{Check, Outcome, run_once};
use crate::clock::{Clock, Moment};
use crate::published::Published;
use crate::report::{Entry, Report};
use crate::source::{CheckSource, summary};
use crate::state::{State, Status};

/// How often metrics are brought up to date with verdicts that went stale, and with groups.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// How a check is run and what it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From the start of one run to the start of the next, at most.
    pub period: Duration,
    /// How long a run may take.
    pub timeout: Duration,
    /// Whether readiness depends on it; if not, its failure is told as `degraded`.
    pub required: bool,
    /// The `source` label of `vigie_source_up`, if this check is what knows it.
    pub source: Option<&'static str>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            required: true,
            source: None,
        }
    }
}

impl Settings {
    /// How old a verdict may become before it counts as failed.
    fn stale_after(&self) -> Duration {
        self.period.saturating_mul(2).saturating_add(self.timeout)
    }
}

/// The checks, what they last came to, and whether the program drains. Clones share them.
#[derive(Clone)]
pub struct Checks(Arc<Inner>);

struct Inner {
    clock: Clock,
    started: Moment,
    watched: Vec<Watched>,
    groups: Vec<Group>,
    unwatched: Vec<String>,
    draining: AtomicBool,
    published: Published,
    /// Taken by the first [`Checks::run`].
    checks: Mutex<Vec<Box<dyn Check>>>,
}

struct Watched {
    name: String,
    settings: Settings,
    state: Mutex<State>,
}

struct Group {
    source: Arc<dyn CheckSource>,
    required: bool,
}

/// Collects the checks. Each name may be given once.
pub struct Builder {
    clock: Clock,
    checks: Vec<(Box<dyn Check>, Settings)>,
    groups: Vec<Group>,
    unwatched: Vec<String>,
}

impl Builder {
    /// Adds a check.
    #[must_use]
    pub fn check(mut self, check: impl Check, settings: Settings) -> Self {
        self.checks.push((Box::new(check), settings));
        self
    }

    /// Adds a group of checks that somebody else runs.
    #[must_use]
    pub fn source(mut self, source: Arc<dyn CheckSource>, required: bool) -> Self {
        self.groups.push(Group { source, required });
        self
    }

    /// Names something that could be checked and is not configured.
    #[must_use]
    pub fn unwatched(mut self, name: impl Into<String>) -> Self {
        self.unwatched.push(name.into());
        self
    }

    /// The checks, which publish their metrics in this registry. Nothing runs before [`Checks::run`].
    #[must_use]
    pub fn build(self, registry: &Registry) -> Checks {
        let started = self.clock.now();
        let watch = |(check, settings): &(Box<dyn Check>, Settings)| Watched {
            name: check.name().to_owned(),
            state: Mutex::new(State::new(started, settings.stale_after())),
            settings: settings.clone(),
        };
        Checks(Arc::new(Inner {
            started,
            watched: self.checks.iter().map(watch).collect(),
            groups: self.groups,
            unwatched: self.unwatched,
            draining: AtomicBool::new(false),
            published: Published::new(registry),
            checks: Mutex::new(self.checks.into_iter().map(|(check, _)| check).collect()),
            clock: self.clock,
        }))
    }
}

impl Checks {
    /// Begins a list of checks.
    #[must_use]
    pub fn builder(clock: Clock) -> Builder {
        Builder {
            clock,
            checks: Vec::new(),
            groups: Vec::new(),
            unwatched: Vec::new(),
        }
    }

    /// What time it is, by the clock of these checks.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Says that the program is about to end: it is not ready from now on.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// What is thought of all checks. Answers from memory.
    #[must_use]
    pub fn report(&self, now: Moment) -> Report {
        let watched = self.0.watched.iter().map(|watched| Entry {
            name: watched.name.clone(),
            required: watched.settings.required,
            verdict: watched.state.lock().verdict(now),
            parts: None,
        });
        let groups = self.0.groups.iter().map(|group| {
            let parts = group.source.verdicts(now);
            Entry {
                name: group.source.name().to_owned(),
                required: group.required,
                verdict: summary(&parts, self.0.started),
                parts: Some(parts),
            }
        });
        Report {
            draining: self.0.draining.load(Ordering::Relaxed),
            entries: watched.chain(groups).collect(),
            unwatched: self.0.unwatched.clone(),
            excluded: Vec::new(),
            started: self.0.started,
        }
    }

    /// Runs all checks until `stop` is cancelled. A second call finds nothing left to run.
    pub async fn run(&self, stop: CancellationToken) {
        let checks = std::mem::take(&mut *self.0.checks.lock());
        let mut tasks = JoinSet::new();
        for (at, check) in checks.into_iter().enumerate() {
            tasks.spawn(self.clone().watch(at, check));
        }
        let mut publish = interval(PUBLISH_EVERY);
        publish.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = publish.tick() => self.publish(),
                // A check only ends by a panic; its verdict goes stale, and so counts as failed.
                Some(Err(error)) = tasks.join_next() => {
                    tracing::error!(%error, "a check broke down and runs no more");
                }
            }
        }
        tasks.shutdown().await;
    }

    async fn watch(self, at: usize, mut check: Box<dyn Check>) {
        let settings = &self.0.watched[at].settings;
        let random = RandomState::new();
        for turn in 0_u64.. {
            let started = Instant::now();
            let (outcome, duration) = run_once(&mut *check, settings.timeout).await;
            self.record(at, duration, outcome);
            sleep_until(started + jittered(settings.period, random.hash_one(turn))).await;
        }
    }

    fn record(&self, at: usize, duration: Duration, outcome: Outcome) {
        let watched = &self.0.watched[at];
        let now = self.now();
        let (before, after) = {
            let mut state = watched.state.lock();
            let before = state.verdict(now);
            state.record(now, duration, outcome);
            (before, state.verdict(now))
        };
        let check = watched.name.as_str();
        match &after.failure {
            Some(error) if before.failure.as_ref() != Some(error) => {
                tracing::warn!(check, %error, "check failed");
            }
            None if before.status != Status::Ok => tracing::info!(check, ?duration, "check passed"),
            _ => {}
        }
        self.publish_one(watched, now);
    }

    fn publish_one(&self, watched: &Watched, now: Moment) {
        let verdict = watched.state.lock().verdict(now);
        self.0.published.verdict(&watched.name, &verdict);
        if let Some(source) = watched.settings.source {
            self.0.published.source(source, &verdict);
        }
    }

    fn publish(&self) {
        let now = self.now();
        for watched in &self.0.watched {
            self.publish_one(watched, now);
        }
        if !self.0.groups.is_empty() {
            let report = self.report(now);
            for group in report.entries.iter().filter(|entry| entry.parts.is_some()) {
                self.0.published.verdict(&group.name, &group.verdict);
            }
            self.0.published.parts(&report);
        }
    }
}

/// Nine to ten tenths of a period, so that replicas do not ask all at once, and never later than promised.
fn jittered(period: Duration, random: u64) -> Duration {
    let part = (random >> 11) as f64 / (1_u64 << 53) as f64;
    period.mul_f64(0.9 + 0.1 * part)
}

#[cfg(test)]
mod tests;
