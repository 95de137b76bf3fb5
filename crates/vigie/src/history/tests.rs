#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::*;
use jiff::Timestamp;
use vigie_history::Settings;
use vigie_probes::Moment;
use vigie_promql::storage::Selection;
use vigie_promql::value::is_stale;
use vigie_promql::{Sample, Storage as _};

const INSTANCE: &str = "127.0.0.1:9850";

struct Stage {
    registry: Registry,
    current: Current,
    scraper: Scraper,
    now: Arc<AtomicI64>,
}

const START: i64 = 1_790_000_000_000;

fn stage(settings: &Settings) -> Stage {
    process(&Current::in_memory(settings).unwrap(), START)
}

/// A process that starts at `start` and continues a history.
fn process(current: &Current, start: i64) -> Stage {
    let registry = Registry::new();
    let current = current.clone();
    let now = Arc::new(AtomicI64::new(start));
    let wall = Arc::clone(&now);
    let clock = Clock::new(move || Moment {
        elapsed: Duration::ZERO,
        wall: Timestamp::from_millisecond(wall.load(Relaxed)).unwrap(),
    });
    let scraper = Scraper::new(&registry, &current, INSTANCE.to_owned(), clock);
    Stage {
        registry,
        current,
        scraper,
        now,
    }
}

impl Stage {
    fn scrape_at(&mut self, time: i64) {
        self.now.store(time, Relaxed);
        self.scraper.scrape();
    }
}

fn all(history: &History) -> BTreeMap<String, Vec<Sample>> {
    let mut found = BTreeMap::new();
    let selection = Selection {
        matchers: &[],
        start: i64::MIN,
        end: i64::MAX,
    };
    let each = &mut |labels: &vigie_promql::Labels, samples: &[Sample]| {
        found.insert(labels.to_string(), samples.to_vec());
        ControlFlow::Continue(())
    };
    history.select(&selection, each).unwrap();
    found
}

#[test]
fn the_history_equals_that_of_prometheus() {
    let mut stage = stage(&Settings::default());
    let requests = stage
        .registry
        .family(&vigie_traffic::metrics::HTTP_REQUEST_DURATION);
    let jobs = stage.registry.family(&vigie_bullmq::metrics::QUEUE_JOBS);
    requests.observe(["GET", "/", "200"], Duration::from_millis(30));
    jobs.set(["mail", "waiting"], 3.0);
    stage.scrape_at(15_000 * 1_000);
    requests.observe(["GET", "/", "200"], Duration::from_millis(30));
    jobs.forget(["mail", "waiting"]);
    // Timers fire a little early or late.
    stage.scrape_at(15_000 * 1_001 - 3);
    stage.scrape_at(15_000 * 1_001 + 5);
    stage.scrape_at(15_000 * 1_002 + 900);

    let found = all(&stage.current.history());
    let of = |series: &str| {
        let samples = found
            .get(series)
            .unwrap_or_else(|| panic!("{series} in {:#?}", found.keys()));
        // Counters have a 0 before the first scrape.
        let samples = samples
            .iter()
            .filter(|sample| sample.time >= 15_000 * 1_000);
        let samples: Vec<_> = samples.collect();
        let times = samples.iter().map(|sample| sample.time / 15_000);
        assert!(samples.iter().all(|sample| sample.time % 15_000 == 0));
        assert!(times.eq(1_000..1_000 + samples.len() as i64));
        samples
            .iter()
            .map(|sample| sample.value)
            .collect::<Vec<_>>()
    };
    let own = format!(r#"instance="{INSTANCE}", job="vigie""#);
    assert_eq!(of(&format!("up{{{own}}}")), [1.0; 3]);
    let request = format!(r#"code="200", {own}"#);
    let bucket = |le: &str| {
        of(&format!(
            r#"http_request_duration_seconds_bucket{{{request}, le="{le}", method="GET", route="/"}}"#
        ))
    };
    assert_eq!(bucket("0.025"), [0.0; 3]);
    assert_eq!(bucket("0.05"), [1.0, 2.0, 2.0]);
    assert_eq!(bucket("+Inf"), [1.0, 2.0, 2.0]);
    let sum = of(&format!(
        r#"http_request_duration_seconds_sum{{{request}, method="GET", route="/"}}"#
    ));
    assert_eq!(sum, [0.03, 0.06, 0.06]);
    let waiting = of(&format!(
        r#"queue_jobs_total{{{own}, queue="mail", state="waiting"}}"#
    ));
    assert!(
        waiting.len() == 2 && waiting[0] == 3.0 && is_stale(waiting[1]),
        "{waiting:?}"
    );
    // The history monitors itself: each scrape reports the state after the previous one.
    let samples = of(&format!("vigie_history_samples_total{{{own}}}"));
    assert!(
        samples[0] == 0.0 && samples[1] > 20.0 && samples[2] > samples[1],
        "{samples:?}"
    );
    let refused = format!(r#"vigie_history_samples_refused_total{{{own}, reason="too_old"}}"#);
    assert_eq!(found[&refused].len(), 2);
    let disk = |series: &&String| series.starts_with("vigie_history_disk_up");
    assert_eq!(found.keys().find(disk), None);
}

#[test]
fn a_clock_that_was_wrong_is_followed_back() {
    let mut stage = stage(&Settings::default());
    let (right, wrong) = (1_790_000_000_000, 1_990_000_000_000);
    stage.scrape_at(right);
    stage.scrape_at(wrong);
    for n in 1..=10 {
        stage.scrape_at(right + n * 15_000);
    }
    let found = all(&stage.current.history());
    let up = &found[&format!(r#"up{{instance="{INSTANCE}", job="vigie"}}"#)];
    let times: Vec<_> = up
        .iter()
        .map(|sample| (sample.time - right).div_euclid(15_000))
        .collect();
    // The first sample was in the hour that is dropped together with the wrong one.
    assert_eq!(times, [4, 5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn it_scrapes_every_fifteen_seconds_until_it_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: Some(directory.path().to_owned()),
        ..Settings::default()
    };
    let mut stage = stage(&settings);
    let started = tokio::time::Instant::now();
    let clock = move || Moment {
        elapsed: started.elapsed(),
        wall: Timestamp::from_millisecond(1_790_000_001_234).unwrap() + started.elapsed(),
    };
    stage.scraper.clock = Clock::new(clock);
    let stop = CancellationToken::new();
    let scraper = stage.scraper.scrape_once().await;
    assert!(stage.current.loaded().is_none());
    let history = load(&settings).unwrap().unwrap().await;
    let (hand_over, loaded) = oneshot::channel();
    assert!(hand_over.send(history.unwrap().unwrap()).is_ok());
    let running = tokio::spawn(scraper.run(Some(loaded), stop.clone()));
    tokio::time::sleep(Duration::from_secs(151)).await;
    stop.cancel();
    running.await.unwrap();
    let found = all(&stage.current.loaded().unwrap());
    let of = |name: &str| &found[&format!(r#"{name}{{instance="{INSTANCE}", job="vigie"}}"#)];
    let up = of("up");
    assert_eq!(up[0].time, 1_790_000_001_234, "it does not wait");
    assert_eq!(up.len(), 11);
    assert!(up[1..].iter().all(|sample| sample.time % 15_000 == 0));
    // At the first scrape the state was not known yet.
    let disk = of("vigie_history_disk_up");
    assert_eq!(disk.len(), 10);
    assert!(disk.iter().all(|sample| sample.value == 1.0));
}

#[test]
fn scrapes_during_loading_are_moved() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: Some(directory.path().to_owned()),
        ..Settings::default()
    };
    let mut stage = stage(&settings);
    let jobs = stage.registry.family(&vigie_bullmq::metrics::QUEUE_JOBS);
    let at = |n: i64| 1_790_000_010_000 + n * 15_000;
    // Two series that start and end at different times.
    for n in 0..6 {
        if n < 4 {
            jobs.set(["mail", "waiting"], n as f64);
        }
        if n == 4 {
            jobs.forget(["mail", "waiting"]);
        }
        if n > 2 {
            jobs.set(["push", "waiting"], n as f64);
        }
        stage.scrape_at(at(n));
    }
    assert!(stage.current.loaded().is_none());
    let before = all(&stage.current.history());
    let history = opening::open(&settings).unwrap();
    stage.scraper.switch_to(history);
    let moved = stage.current.loaded().unwrap();
    let bits = |found: BTreeMap<String, Vec<Sample>>| -> BTreeMap<_, Vec<_>> {
        let of = |sample: Sample| (sample.time, sample.value.to_bits());
        let series = found.into_iter();
        series
            .map(|(name, samples)| (name, samples.into_iter().map(of).collect()))
            .collect()
    };
    assert_eq!(bits(all(&moved)), bits(before));
    // The history continues on disk.
    jobs.forget(["push", "waiting"]);
    stage.scrape_at(at(6));
    assert!(moved.flush(Duration::from_secs(60)));
    drop((stage, moved));
    let found = all(&opening::open(&settings).unwrap());
    let own = format!(r#"instance="{INSTANCE}", job="vigie""#);
    let values = |queue: &str| -> Vec<_> {
        let series = format!(r#"queue_jobs_total{{{own}, queue="{queue}", state="waiting"}}"#);
        let samples = found[&series].iter();
        samples
            .map(|sample| (!is_stale(sample.value)).then_some(sample.value))
            .collect()
    };
    assert_eq!(
        values("mail"),
        [Some(0.0), Some(1.0), Some(2.0), Some(3.0), None]
    );
    assert_eq!(values("push"), [Some(3.0), Some(4.0), Some(5.0), None]);
}

fn fail(stage: &Stage, job: &str, times: u64) {
    let failed = stage
        .registry
        .family(&vigie_bullmq::metrics::BULLMQ_JOBS_FINISHED);
    failed.add(["bull", "mail", job, "failed"], times);
    let runs = stage
        .registry
        .family(&vigie_bullmq::metrics::BULLMQ_JOB_RUN);
    for _ in 0..times {
        runs.observe(["bull", "mail", job, "failed"], Duration::from_millis(20));
    }
    let jobs = stage.registry.family(&vigie_bullmq::metrics::QUEUE_JOBS);
    jobs.set([job, "failed"], times as f64);
    jobs.set([job, "waiting"], 7.0);
}

/// The sum that `increase()` computes, without extrapolation: steps between samples, counted from 0 after a reset.
fn grown(stage: &Stage, series: &str) -> f64 {
    let found = all(&stage.current.history());
    let samples = found.iter().find(|(labels, _)| labels.contains(series));
    let samples = samples
        .map(|(_, samples)| samples.as_slice())
        .unwrap_or_default();
    let samples: Vec<_> = samples
        .iter()
        .filter(|sample| !is_stale(sample.value))
        .collect();
    let steps = samples
        .windows(2)
        .map(|pair| match pair[1].value - pair[0].value {
            step if step < 0.0 => pair[1].value,
            step => step,
        });
    steps.sum()
}

#[test]
fn the_first_burst_of_a_count_is_an_increase() {
    let mut stage = stage(&Settings::default());
    // Before the first scrape, and between scrapes.
    fail(&stage, "early", 40);
    for n in 1..=3 {
        stage.scrape_at(START + n * 15_000);
        if n == 2 {
            fail(&stage, "late", 40);
        }
    }
    let found = all(&stage.current.history());
    for job in ["early", "late"] {
        let by_name = format!(r#"name="{job}", outcome="failed""#);
        let by_state = format!(r#"queue="{job}", state="failed""#);
        let of_job = |key: &&String| key.contains(&by_name) || key.contains(&by_state);
        let counts: Vec<_> = found.keys().filter(of_job).collect();
        assert!(counts.len() > 10, "{counts:?}");
        for series in counts {
            let last = found[series].last().unwrap().value;
            assert_eq!(grown(&stage, series), last, "{series}");
        }
        // Gauges have no zero.
        let waiting = format!(r#"queue="{job}", state="waiting""#);
        let waiting = found.iter().find(|(key, _)| key.contains(&waiting));
        assert!(waiting.unwrap().1.iter().all(|sample| sample.value == 7.0));
    }
}

#[test]
fn the_first_burst_after_a_restart_is_an_increase() {
    for burst_at in [0, 1, 2] {
        let mut before = stage(&Settings::default());
        fail(&before, "known", 40);
        before.scrape_at(START + 15_000);
        let current = before.current.clone();
        drop(before);
        let mut after = process(&current, START + 21_000);
        for n in 0..4 {
            if n == burst_at {
                fail(&after, "known", 40);
            }
            after.scrape_at(START + 22_000 + n * 15_000);
        }
        let total = r#"name="known", outcome="failed", prefix="bull", queue="mail"}"#;
        let found = all(&current.history());
        let key = found
            .keys()
            .find(|key| key.starts_with("bullmq_jobs_finished_total") && key.contains(total));
        assert_eq!(grown(&after, key.unwrap()), 80.0, "burst at {burst_at}");
        // The zeros make no series stale.
        let up = &found[&format!(r#"up{{instance="{INSTANCE}", job="vigie"}}"#)];
        assert!(up.iter().all(|sample| sample.value == 1.0), "{up:?}");
    }
}

fn disk_up(registry: &Registry) -> Option<String> {
    let page = registry.expose(vigie_metrics::Format::Text);
    let mut lines = page.lines();
    let line = lines.find_map(|line| line.strip_prefix("vigie_history_disk_up "));
    line.map(str::to_owned)
}

#[test]
fn a_directory_that_cannot_be_made_leaves_the_history_in_memory() {
    let settings = Settings {
        // Not even root can create a directory there.
        path: Some("/proc/vigie-history".into()),
        ..Settings::default()
    };
    let mut stage = stage(&settings);
    stage.scrape_at(START);
    assert_eq!(disk_up(&stage.registry), None, "it is being loaded");
    let history = opening::open(&settings).unwrap();
    stage.scraper.switch_to(history);
    assert_eq!(disk_up(&stage.registry).as_deref(), Some("0"));
    stage.scrape_at(START + EVERY);
    let found = all(&stage.current.loaded().unwrap());
    let up = format!(r#"up{{instance="{INSTANCE}", job="vigie"}}"#);
    assert_eq!(found[&up].len(), 2, "of before and after");
    assert_eq!(disk_up(&stage.registry).as_deref(), Some("0"));
}

#[test]
fn an_unwritable_directory_is_logged_once() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: Some(directory.path().join("samples")),
        ..Settings::default()
    };
    let mut stage = stage(&settings);
    let history = opening::open(&settings).unwrap();
    std::fs::remove_dir_all(directory.path()).unwrap();
    // The file being written stays open; a new one is needed after samples are removed.
    history.remove_after(0);
    while history.stats().disk == DiskState::Working {
        let _ = history.flush(Duration::from_secs(60));
    }
    stage.scraper.switch_to(history);
    assert!(matches!(stage.scraper.disk, DiskState::Failing(_)));
    assert_eq!(disk_up(&stage.registry).as_deref(), Some("0"));
}

#[test]
fn a_directory_of_others_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("0.log");
    std::fs::write(&file, "of another program").unwrap();
    for path in [directory.path(), &file, &file.join("below")] {
        let settings = Settings {
            path: Some(path.to_owned()),
            ..Settings::default()
        };
        let error = opening::open(&settings).err().unwrap();
        let error: &vigie_history::Error = error.downcast_ref().unwrap();
        assert!(error.is_misconfiguration(), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"of another program");
}
