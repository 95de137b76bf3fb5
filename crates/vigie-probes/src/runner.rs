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

/// How often metrics are brought up to date with verdicts that went stale, and with groups.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// How a check is run and what it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From the start of one run to the start of the next, at most.
    pub period: Duration,
    /// How long a run may take.
    pub timeout: Duration,
    /// Whether readiness depends on it; if not, its failure is reported as `degraded`.
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
    /// How old a verdict may become before it counts as failed.
    fn stale_after(&self) -> Duration {
        self.period.saturating_mul(2).saturating_add(self.timeout)
    }
}

/// The checks, their verdicts, and whether the program drains. Clones share them.
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
    /// Asks for a run before the period is over.
    hurry: Notify,
}

struct Group {
    source: Arc<dyn CheckSource>,
    required: bool,
    /// The check of the server that the parts are read from.
    server: Option<&'static str>,
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

    /// Adds a group of checks that another part of the program runs. While the check named `server` fails, parts that
    /// fail give its reason: both tell of one cause in the same words. A group that begins to fail runs that check at once.
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

    /// The current time by the clock of these checks.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Says that the program is about to end: it is not ready from now on.
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

    /// Runs all checks until `stop` is cancelled. A second call finds nothing left to run.
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
                // A check only ends by a panic; its verdict goes stale, and so counts as failed.
                Some(Err(error)) = tasks.join_next() => {
                    tracing::error!(%error, "a check panicked; it no longer runs, and its verdict goes stale");
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

    /// `failing` holds the groups that failed the last time.
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

/// Nine to ten tenths of a period, so that replicas do not run at the same time, and never later than the period.
fn jittered(period: Duration, random: u64) -> Duration {
    let part = (random >> 11) as f64 / (1_u64 << 53) as f64;
    period.mul_f64(0.9 + 0.1 * part)
}

#[cfg(test)]
mod tests;
