//! A warning if no production tick is counted for a while.
//!
//! A misspelt name cannot be refused at the start, because the job may be added later.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use vigie_bullmq::Tick;
use vigie_config::Settings;
use vigie_metrics::Registry;

/// The time after which a missing tick is reported.
const AFTER: Duration = Duration::from_secs(600);
/// The most names in the warning.
const LOGGED: usize = 10;

/// Reports a production tick that is configured and never ends.
pub(crate) struct MissingTick {
    tick: Tick,
    registry: Registry,
}

impl MissingTick {
    /// `None` if no tick is configured.
    pub(crate) fn new(settings: &Settings, registry: &Registry) -> Option<Self> {
        let redis = settings.redis.as_ref()?;
        Some(Self {
            tick: redis.tick.clone()?,
            registry: registry.clone(),
        })
    }

    /// Waits, logs the reason if no tick has been counted by then, and returns.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let watching = async {
            sleep(AFTER).await;
            if let Some(reason) = self.reason() {
                warn!(
                    after = ?AFTER,
                    "no production tick: {reason}; production_tick_duration_seconds counts nothing"
                );
            }
        };
        stop.run_until_cancelled(watching).await;
    }

    /// The reason why no tick was counted; `None` if one was.
    fn reason(&self) -> Option<String> {
        let tick = &self.tick;
        let (mut ticks, mut has_queue) = (0.0, false);
        let mut names = BTreeSet::new();
        self.registry.visit(|metric, labels, value| {
            let label = |name| {
                let mut labels = labels.iter();
                labels.find_map(|(label, value)| (*label == name).then_some(*value))
            };
            let is_queue = label("queue") == Some(&tick.queue);
            match metric {
                "production_tick_duration_seconds_count" => ticks += value,
                "bullmq_jobs" => has_queue |= is_queue,
                "bullmq_jobs_added_total" if is_queue && value > 0.0 => {
                    names.extend(label("name").map(str::to_owned));
                }
                _ => {}
            }
        });
        let queue = &tick.queue;
        match (&tick.job, ticks > 0.0, has_queue) {
            (_, true, _) => None,
            (_, _, false) => Some(format!("queue {queue:?} does not exist")),
            (Some(job), ..) if names.contains(job) => {
                Some(format!("no job {job:?} of the queue {queue:?} has ended"))
            }
            (Some(job), ..) => {
                let names: Vec<_> = names.into_iter().take(LOGGED).collect();
                let seen = match names.is_empty() {
                    true => "no job was added".to_owned(),
                    false => format!("these were: {}", names.join(", ")),
                };
                Some(format!(
                    "no job {job:?} was added to the queue {queue:?}, {seen}"
                ))
            }
            (None, ..) => Some(format!("no job of the queue {queue:?} has ended")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_bullmq::metrics::{BULLMQ_JOBS, BULLMQ_JOBS_ADDED, PRODUCTION_TICK_DURATION};

    fn missing(job: &str) -> MissingTick {
        MissingTick {
            tick: Tick {
                queue: "production".into(),
                job: Some(job.into()),
            },
            registry: Registry::new(),
        }
    }

    #[test]
    fn the_reason_names_the_jobs_that_were_added() {
        let missing = missing("tick");
        let problem = || missing.reason().unwrap_or_default();
        assert_eq!(problem(), "queue \"production\" does not exist");
        let registry = &missing.registry;
        let levels = registry.family(&BULLMQ_JOBS);
        levels.set(["bull", "production", "waiting"], 0.0);
        assert!(problem().ends_with("no job was added"), "{}", problem());
        let added = registry.family(&BULLMQ_JOBS_ADDED);
        added.add(["bull", "production", "production-tick"], 3);
        added.add(["bull", "mails", "tick"], 3);
        assert!(
            problem().ends_with("these were: production-tick"),
            "{}",
            problem()
        );
        added.add(["bull", "production", "tick"], 1);
        assert!(problem().ends_with("has ended"), "{}", problem());
        let ticks = registry.family(&PRODUCTION_TICK_DURATION);
        ticks.observe([], Duration::from_secs(1));
        assert_eq!(missing.reason(), None);
    }
}
