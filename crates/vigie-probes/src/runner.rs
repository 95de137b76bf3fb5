//! Runs the checks in the background and keeps their verdicts.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
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

/// The interval at which metrics of stale verdicts and of groups are updated.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// The schedule of a check and its effect on readiness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The maximum time between the starts of two runs.
    pub period: Duration,
    /// The timeout of a run.
    pub timeout: Duration,
    /// Whether readiness depends on it; otherwise its failure is reported as `degraded`.
    pub required: bool,
    /// The `source` label of `vigie_source_up`, if this check determines it.
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
    /// The age at which a verdict counts as failed.
    fn stale_after(&self) -> Duration {
        self.period.saturating_mul(2).saturating_add(self.timeout)
    }
}

/// The checks, their verdicts, and the draining state. Clones share them.
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
    /// Requests a run before the period has elapsed.
    hurry: Notify,
}

struct Group {
    source: Arc<dyn CheckSource>,
    required: bool,
    /// The check of the server that the parts are read from.
    server: Option<&'static str>,
}

/// Collects the checks. Names must be unique.
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

    /// Adds a group of checks that another part of the program runs. While the check named `server` fails, failing
    /// parts show its reason, so that one cause has one message. A group that begins to fail triggers that check
    /// immediately.
    #[must_use]
    pub fn source(
        mut self,
        source: Arc<dyn CheckSource>,
        required: bool,
        server: Option<&'static str>,
    ) -> Self {
        self.groups.push(Group {
            source,
            required,
            server,
        });
        self
    }

    /// Adds the name of a dependency that could be checked but is not configured.
    #[must_use]
    pub fn unwatched(mut self, name: impl Into<String>) -> Self {
        self.unwatched.push(name.into());
        self
    }

    /// Builds the checks, which publish their metrics in this registry. Nothing runs before [`Checks::run`].
    #[must_use]
    pub fn build(self, registry: &Registry) -> Checks {
        let started = self.clock.now();
        let watch = |(check, settings): &(Box<dyn Check>, Settings)| Watched {
            name: check.name().to_owned(),
            state: Mutex::new(State::new(started, settings.stale_after())),
            settings: settings.clone(),
            hurry: Notify::new(),
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
    /// Starts a list of checks.
    #[must_use]
    pub fn builder(clock: Clock) -> Builder {
        Builder {
            clock,
            checks: Vec::new(),
            groups: Vec::new(),
            unwatched: Vec::new(),
        }
    }

    /// The current time by the clock of these checks.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Marks the program as shutting down: from now on it is not ready.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// The verdicts on all checks, from memory.
    #[must_use]
    pub fn report(&self, now: Moment) -> Report {
        let watched = self.0.watched.iter().map(|watched| Entry {
            name: watched.name.clone(),
            required: watched.settings.required,
            verdict: watched.state.lock().verdict(now),
            parts: None,
        });
        let mut entries: Vec<_> = watched.collect();
        for group in &self.0.groups {
            let mut parts = group.source.verdicts(now);
            let server = entries
                .iter()
                .find(|entry| Some(&*entry.name) == group.server);
            if let Some(cause) = server.and_then(|server| server.verdict.failure.as_ref()) {
                let failures = parts
                    .iter_mut()
                    .filter_map(|(_, part)| part.failure.as_mut());
                failures.for_each(|failure| failure.clone_from(cause));
            }
            entries.push(Entry {
                name: group.source.name().to_owned(),
                required: group.required,
                verdict: summary(&parts, self.0.started),
                parts: Some(parts),
            });
        }
        Report {
            draining: self.0.draining.load(Ordering::Relaxed),
            entries,
            unwatched: self.0.unwatched.clone(),
            excluded: Vec::new(),
            started: self.0.started,
        }
    }

    /// Runs all checks until `stop` is cancelled. A second call has nothing to run.
    pub async fn run(&self, stop: CancellationToken) {
        let checks = std::mem::take(&mut *self.0.checks.lock());
        let mut tasks = JoinSet::new();
        for (at, check) in checks.into_iter().enumerate() {
            tasks.spawn(self.clone().watch(at, check));
        }
        let mut publish = interval(PUBLISH_EVERY);
        publish.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = HashSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = publish.tick() => self.publish(&mut failing),
                // A check only ends by a panic; its verdict then becomes stale and counts as failed.
                Some(Err(error)) = tasks.join_next() => {
                    tracing::error!(%error, "a check panicked; it no longer runs, and its verdict becomes stale");
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
            let next = started + jittered(settings.period, random.hash_one(turn));
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.0.watched[at].hurry.notified() => {}
            }
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

    /// `failing` contains the groups that failed at the previous call.
    fn publish(&self, failing: &mut HashSet<String>) {
        let now = self.now();
        for watched in &self.0.watched {
            self.publish_one(watched, now);
        }
        if !self.0.groups.is_empty() {
            let report = self.report(now);
            for group in report.entries.iter().filter(|entry| entry.parts.is_some()) {
                self.0.published.verdict(&group.name, &group.verdict);
                if group.verdict.status != Status::Failed {
                    failing.remove(&group.name);
                } else if failing.insert(group.name.clone()) {
                    self.hurry_server_of(&group.name);
                }
            }
            self.0.published.parts(&report);
        }
    }

    fn hurry_server_of(&self, group: &str) {
        let mut groups = self.0.groups.iter();
        let server = groups.find(|known| known.source.name() == group);
        let server = server.and_then(|group| group.server);
        let mut watched = self.0.watched.iter();
        if let Some(server) = watched.find(|watched| Some(&*watched.name) == server) {
            server.hurry.notify_one();
        }
    }
}

/// 90 to 100 % of a period, so that replicas do not run in step and no run is late.
fn jittered(period: Duration, random: u64) -> Duration {
    let part = (random >> 11) as f64 / (1_u64 << 53) as f64;
    period.mul_f64(0.9 + 0.1 * part)
}

#[cfg(test)]
mod tests;
