//! Settings that match nothing: the production tick's job, and configured routes.
//!
//! A misspelt name is no error that could be found at the start: the job may be added later, the route requested later. Each
//! is logged once when nothing came after a while.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use vigie_metrics::Registry;

use crate::config::{Settings, Tick};

/// How long a tick may take to come.
const TICK_AFTER: Duration = Duration::from_secs(600);
/// How long requests for every route may take to come.
const ROUTES_AFTER: Duration = Duration::from_secs(3_600);
/// How many names are logged.
const LOGGED: usize = 10;

/// What is expected to be seen.
pub(crate) struct Expected {
    tick: Option<Tick>,
    routes: Vec<String>,
    registry: Registry,
}

impl Expected {
    pub(crate) fn new(settings: &Settings, registry: &Registry) -> Self {
        let gateway = settings.gateway.as_ref();
        Self {
            tick: settings.redis.as_ref().and(settings.tick.clone()),
            routes: gateway.map_or_else(Vec::new, |gateway| gateway.routes.clone()),
            registry: registry.clone(),
        }
    }

    /// Logs what was not seen by then, and ends.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let watching = async {
            sleep(TICK_AFTER).await;
            if let Some(problem) = self.missing_tick() {
                warn!(after = ?TICK_AFTER, "tick: {problem}; production_tick_duration_seconds counts nothing");
            }
            sleep(ROUTES_AFTER.saturating_sub(TICK_AFTER)).await;
            let routes = self.missing_routes();
            if !routes.is_empty() {
                warn!(after = ?ROUTES_AFTER, ?routes, "gateway.routes: no request matched these patterns");
            }
        };
        stop.run_until_cancelled(watching).await;
    }

    /// Why no tick was counted; `None`: one was, or none is configured.
    fn missing_tick(&self) -> Option<String> {
        let tick = self.tick.as_ref()?;
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
            (_, _, false) => Some(format!("there is no queue {queue:?}")),
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

    /// Configured patterns without a request.
    fn missing_routes(&self) -> Vec<&str> {
        let mut missing: Vec<&str> = self.routes.iter().map(String::as_str).collect();
        self.registry.visit(|metric, labels, value| {
            if metric == "http_request_duration_seconds_count" && value > 0.0 {
                missing.retain(|route| !labels.contains(&("route", route)));
            }
        });
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_bullmq::metrics::{BULLMQ_JOBS, BULLMQ_JOBS_ADDED, PRODUCTION_TICK_DURATION};
    use vigie_gateway::metrics::HTTP_REQUEST_DURATION;

    fn expected(job: Option<&str>, routes: &[&str]) -> Expected {
        Expected {
            tick: Some(Tick {
                queue: "production".into(),
                job: job.map(Into::into),
            }),
            routes: routes.iter().map(|route| (*route).to_owned()).collect(),
            registry: Registry::new(),
        }
    }

    #[test]
    fn a_tick_that_does_not_come_is_told_with_what_came() {
        let expected = expected(Some("tick"), &[]);
        let problem = || expected.missing_tick().unwrap_or_default();
        assert_eq!(problem(), "there is no queue \"production\"");
        let registry = &expected.registry;
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
        assert_eq!(expected.missing_tick(), None);
    }

    #[test]
    fn routes_without_a_request() {
        let expected = expected(None, &["/players/:id", "/plyers"]);
        assert_eq!(expected.missing_routes(), ["/players/:id", "/plyers"]);
        let requests = expected.registry.family(&HTTP_REQUEST_DURATION);
        requests.observe(["GET", "/players/:id", "200"], Duration::from_millis(1));
        let _ = requests.series(["GET", "/plyers", "200"]);
        assert_eq!(expected.missing_routes(), ["/plyers"]);
    }
}
