//! A Redis, a watcher on it, and the metrics that it publishes.

use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};
use vigie_bullmq::{Settings, Tick, Watcher};
use vigie_metrics::{Epoch, Format, Registry};
pub(crate) use vigie_testkit::SOON;
use vigie_testkit::{Redis, RedisOptions, Scrape, Script, eventually, promtext};

pub(crate) const SCRIPT: Duration = SOON;

/// Sweeps run often, so that tests need not wait.
pub(crate) fn settings(url: &str) -> Settings {
    let mut settings = Settings::new(redis::Client::open(url).unwrap());
    settings.levels_every = Duration::from_millis(100);
    settings.discover_every = Duration::from_millis(200);
    settings.checks_every = Duration::from_millis(200);
    // Longer than a busy machine delays an answer: a connection that is lost begins anew.
    settings.timeout = SOON / 2;
    settings
}

pub(crate) fn tick(queue: &str, job: &str) -> Option<Tick> {
    Some(Tick {
        queue: queue.into(),
        job: Some(job.into()),
    })
}

/// A Redis that restarts empty after a kill.
pub(crate) async fn forgetful() -> Redis {
    let options = RedisOptions {
        args: ["--appendonly", "no"].map(String::from).to_vec(),
        ..RedisOptions::default()
    };
    Redis::start_with(options).await.unwrap()
}

pub(crate) struct Watched {
    registry: Registry,
    pub(crate) watcher: Watcher,
    _stop: DropGuard,
}

pub(crate) fn watch(settings: Settings) -> Watched {
    let registry = Registry::new();
    let watcher = Watcher::new(settings, &registry);
    let stop = CancellationToken::new();
    tokio::spawn(watcher.clone().run(stop.clone()));
    Watched {
        registry,
        watcher,
        _stop: stop.drop_guard(),
    }
}

impl Watched {
    pub(crate) fn scrape(&self) -> Scrape {
        let page = self.registry.expose(Format::Text);
        Scrape::parse(&page, promtext::Format::Text).unwrap()
    }

    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.scrape().value(name, labels)
    }

    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.scrape().sum(name, labels)
    }

    /// The sum of a counter's series, cheaper than a scrape.
    pub(crate) fn counted(&self, name: &str) -> usize {
        let mut sum = 0.0;
        self.registry.visit(|found, _, value| {
            if found == name {
                sum += value;
            }
        });
        sum as usize
    }

    pub(crate) fn begin_scrape(&self) -> Epoch {
        self.registry.begin_scrape()
    }

    /// Whether a client that scraped at `scrape` would first get the counts of this job name as 0.
    pub(crate) fn is_new_since(&self, scrape: Epoch, name: &str, job: &str) -> bool {
        let scrape = vigie_metrics::Scrape {
            epoch: scrape,
            zero_since: scrape,
        };
        let (mut any, mut all) = (false, true);
        self.registry.visit_new(scrape, |found, labels, _, is_new| {
            if found == name && labels.contains(&("name", job)) {
                (any, all) = (true, all && is_new);
            }
        });
        any && all
    }

    /// `queue_jobs_total` of a queue and state.
    pub(crate) fn jobs(&self, queue: &str, state: &str) -> Option<f64> {
        self.value("queue_jobs_total", &[("queue", queue), ("state", state)])
    }

    /// Waits until the queue has this number of jobs in this state. Levels are polled, and thus lag behind the counts.
    pub(crate) async fn until_jobs(&self, queue: &str, state: &str, jobs: Option<f64>) {
        let labels = [("queue", queue), ("state", state)];
        self.until("queue_jobs_total", &labels, jobs).await;
    }

    /// Waits until the series has this value.
    #[track_caller]
    pub(crate) fn until<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&'a str, &'a str)],
        value: Option<f64>,
    ) -> impl Future<Output = ()> + 'a {
        eventually(SOON, async move || match self.value(name, labels) {
            found if found == value => Ok(()),
            found => {
                let status = self.watcher.status();
                let errors = [status.error, status.events_error];
                Err(format!(
                    "{name}{labels:?} is {found:?}, not {value:?} {errors:?}"
                ))
            }
        })
    }

    /// Waits until the first sweep is complete, so that later queues count as new.
    pub(crate) async fn until_swept(&self) {
        for source in ["redis", "events"] {
            let labels = [("source", source)];
            self.until("vigie_source_up", &labels, Some(1.0)).await;
        }
    }

    /// Waits until the events of a queue are followed.
    pub(crate) async fn until_followed(&self, queue: &str) {
        let labels = [("prefix", "bull"), ("queue", queue)];
        self.until("bullmq_events_read_total", &labels, Some(0.0))
            .await;
        // The series is created just before the command is sent; the reply takes no longer than this.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until this many streams were reconciled with the server's count, in a check that began after the call.
pub(crate) async fn until_checked(redis: &Redis, streams: usize) {
    let checks = async || {
        let stats = redis.cli(&["INFO", "commandstats"]).await.unwrap();
        let of_xinfo = stats
            .lines()
            .filter(|line| line.starts_with("cmdstat_xinfo"));
        let calls = of_xinfo.filter_map(|line| {
            let (_, rest) = line.split_once("calls=")?;
            rest.split(',').next()?.parse::<usize>().ok()
        });
        calls.sum::<usize>()
    };
    let before = checks().await;
    eventually(SOON, async || match checks().await {
        now if now > before + 2 * streams => Ok(()),
        now => Err(format!("{} checks", now - before)),
    })
    .await;
}

/// Runs a driver to its end, which prints one line of JSON.
pub(crate) async fn run(path: &'static str, redis: &Redis, args: &[&str]) -> Value {
    let url = redis.url();
    let args = [&["--redis", &url], args].concat();
    let mut script = Script::new(path).args(args).spawn().unwrap();
    let said = script.next_json(SCRIPT).await.unwrap();
    assert!(
        script.wait(SCRIPT).await.unwrap().success(),
        "{}",
        script.tail()
    );
    said
}

/// Runs jobs through a queue. A tenth of them fails, and all are deleted at once.
pub(crate) async fn run_jobs(redis: &Redis, queue: &str, jobs: u64) -> Value {
    let jobs = jobs.to_string();
    run(
        "testing/jobs.js",
        redis,
        &["--queue", queue, "--jobs", &jobs],
    )
    .await
}

/// A field of XINFO STREAM. Redis 6.2 has fewer than later ones.
pub(crate) async fn stream_info(redis: &Redis, key: &str, field: &str) -> Option<f64> {
    let info = redis.cli(&["XINFO", "STREAM", key]).await.unwrap();
    let mut lines = info.lines().skip_while(|line| *line != field);
    lines.nth(1).map(|number| number.parse().unwrap())
}

pub(crate) fn total(row: &Value) -> f64 {
    row.as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_f64)
        .sum()
}
