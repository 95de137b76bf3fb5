//! The queues, and the one of the tick.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use vigie_bullmq::{Error, QueueLevels, State};
use vigie_probes::FailureKind;

use super::Row;

/// Scanning all keys of a large Redis takes longer than a probe may take.
const SWEEP: Duration = Duration::from_secs(60);

/// Scans the keys of Redis at `place`.
pub(super) async fn queues(redis: &vigie_bullmq::Settings, place: String) -> Vec<Row> {
    let start = Instant::now();
    let found = timeout(SWEEP, vigie_bullmq::probe(redis)).await;
    let took = start.elapsed();
    let found = match found {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let advice = match error.bare() {
                Error::Redis { .. } | Error::Refused(_) => {
                    "the permissions that Vigie needs are in docs/redis.md"
                }
                Error::Connect(error) => {
                    error.advice().unwrap_or(FailureKind::Unreachable.advice())
                }
                _ => FailureKind::TimedOut.advice(),
            };
            let verdict = Err((error.to_string(), advice.to_owned()));
            return vec![Row {
                what: "queues",
                place,
                verdict,
                warns: false,
                took,
            }];
        }
        Err(_) => {
            let text = format!("the keys were not scanned within {SWEEP:?}");
            let verdict = Err((text, FailureKind::TimedOut.advice().to_owned()));
            return vec![Row {
                what: "queues",
                place,
                verdict,
                warns: false,
                took,
            }];
        }
    };
    let mut rows = vec![queues_row(place, &found, redis, took)];
    if let Some(tick) = &redis.tick {
        rows.push(tick_row(tick, &found));
    }
    rows
}

fn queues_row(
    place: String,
    found: &[QueueLevels],
    redis: &vigie_bullmq::Settings,
    took: Duration,
) -> Row {
    let summary = summary(found, &redis.databases);
    let empty = redis.databases.iter().filter(|database| {
        let mut queues = found.iter();
        !queues.any(|queue| queue.database == Some(**database))
    });
    let empty: Vec<_> = empty.map(u16::to_string).collect();
    let problem = match () {
        () if found.len() >= redis.max_queues => Some((
            format!("{summary}; more are not followed"),
            "raise redis.max_queues".to_owned(),
        )),
        () if !empty.is_empty() && !found.is_empty() => Some((
            format!("{summary}, but none in database {}", empty.join(", ")),
            "correct redis.databases, unless their queues are first used later".to_owned(),
        )),
        () => None,
    };
    Row {
        what: "queues",
        place,
        warns: problem.is_some(),
        verdict: problem.map_or(Ok(summary), Err),
        took,
    }
}

fn tick_row(tick: &vigie_bullmq::Tick, found: &[QueueLevels]) -> Row {
    let listed = |names: BTreeSet<&str>| {
        let names: Vec<_> = names.into_iter().take(10).collect();
        names.join(", ")
    };
    let queues = found.iter().filter(|queue| queue.name == tick.queue);
    let names = queues.clone().flat_map(|queue| &queue.names);
    let names: BTreeSet<_> = names.map(String::as_str).collect();
    let mut warns = false;
    let verdict = match &tick.job {
        _ if queues.count() == 0 => {
            let names: BTreeSet<_> = found.iter().map(|queue| queue.name.as_str()).collect();
            let advice = match names.is_empty() {
                true => {
                    "start the backend first: BullMQ makes a queue's keys when it is first used"
                        .into()
                }
                false => format!("tick.queue is one of: {}", listed(names)),
            };
            Err((format!("no queue {:?}", tick.queue), advice))
        }
        None => Ok("the queue is there".to_owned()),
        Some(job) if names.contains(job.as_str()) => Ok("the queue is there, and its job".into()),
        Some(_) if names.is_empty() => {
            Ok("the queue is there; Redis has no job of it at present".into())
        }
        Some(job) => {
            warns = true;
            let text = format!("no job {job:?} among those that Redis still has of the queue");
            let advice = format!(
                "it has not run lately, or tick.job is one of: {}",
                listed(names)
            );
            Err((text, advice))
        }
    };
    Row {
        what: "tick",
        place: format!(
            "{}/{}",
            tick.queue,
            tick.job.as_deref().unwrap_or("every job")
        ),
        verdict,
        warns,
        took: Duration::ZERO,
    }
}

fn summary(found: &[QueueLevels], databases: &[u16]) -> String {
    let databases: Vec<_> = databases.iter().map(u16::to_string).collect();
    let place = match databases.len() {
        0 => String::new(),
        1 => format!(" in database {}", databases[0]),
        _ => format!(" in databases {}", databases.join(", ")),
    };
    if found.is_empty() {
        return format!("no queue yet{place}");
    }
    let jobs = |state| -> u64 {
        found
            .iter()
            .filter_map(|queue| queue.levels.get(state))
            .sum()
    };
    let (waiting, active) = (jobs(State::Waiting), jobs(State::Active));
    let queues = if found.len() == 1 { "queue" } else { "queues" };
    format!(
        "{} {queues}{place}, {waiting} waiting, {active} active",
        found.len()
    )
}

#[cfg(test)]
mod tests {
    use super::super::table::table;
    use super::*;

    #[test]
    fn queues_that_are_not_seen_are_reported() {
        let queue = |name: &str, database| QueueLevels {
            database,
            prefix: "bull".into(),
            name: name.into(),
            levels: vigie_bullmq::Levels::default(),
            names: BTreeSet::new(),
        };
        let endpoint = vigie_redis::Endpoint::new("redis://h", vigie_redis::TlsFiles::default());
        let Ok(endpoint) = endpoint else {
            panic!("{endpoint:?}");
        };
        let mut redis = vigie_bullmq::Settings::new(endpoint);
        let row = |redis: &_, found: &[_]| queues_row("h".into(), found, redis, Duration::ZERO);
        let found = [queue("a", None), queue("b", None)];
        assert!(row(&redis, &found).verdict.is_ok());
        redis.max_queues = 2;
        let full = row(&redis, &found);
        assert!(full.warns && full.verdict.unwrap_err().0.contains("not followed"));
        redis.max_queues = 10;
        redis.databases = vec![0, 5];
        let found = [queue("a", Some(0))];
        let missing = row(&redis, &found);
        assert!(
            missing.warns
                && missing
                    .verdict
                    .unwrap_err()
                    .0
                    .contains("none in database 5")
        );
        assert!(row(&redis, &[]).verdict.is_ok());
    }

    fn row(queue: &str, job: Option<&str>, names: &[&str]) -> Row {
        let tick = vigie_bullmq::Tick {
            queue: queue.into(),
            job: job.map(Into::into),
        };
        let found = QueueLevels {
            database: None,
            prefix: "bull".into(),
            name: "production".into(),
            levels: vigie_bullmq::Levels::default(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        tick_row(&tick, &[found])
    }

    #[test]
    fn an_impossible_tick_is_reported() {
        let names = ["production-tick", "cleanup"];
        let verdict = |queue, job, names| row(queue, job, names).verdict;
        assert!(verdict("production", Some("cleanup"), &names).is_ok());
        assert!(verdict("production", None, &names).is_ok());
        assert!(verdict("production", Some("tick"), &[]).is_ok());
        let warning = row("production", Some("tick"), &names);
        assert!(warning.warns && warning.verdict.is_err());
        let page = table(&[warning], &[]);
        assert!(page.contains("WARNING no job \"tick\""), "{page}");
        assert!(
            page.contains("tick.job is one of: cleanup, production-tick"),
            "{page}"
        );
        let failure = row("produktion", Some("tick"), &names);
        assert!(!failure.warns && failure.verdict.is_err());
    }
}
