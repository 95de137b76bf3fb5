//! Measures the size of a day of history and the time to fill and load it:
//! `cargo run --release -p vigie-history --example size`.
#![allow(clippy::print_stdout, clippy::disallowed_methods)] // prints measurements

use std::error::Error;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use traffic::{DAY, EVERY, SERIES, Traffic};
use vigie_history::{History, SeriesRef, Settings};
use vigie_promql::storage::Selection;
use vigie_promql::{Matcher, Storage as _};

#[path = "../tests/history/support/traffic.rs"]
mod traffic;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let directory = tempfile::tempdir()?;
    let in_memory = Settings::default();
    let on_disk = Settings {
        path: Some(directory.path().to_owned()),
        ..Settings::default()
    };
    let mut traffic = Traffic::new();
    let day: Vec<Vec<f64>> = (0..DAY).map(|_| traffic.scrape().to_vec()).collect();
    let samples = (DAY * SERIES) as f64;
    println!(
        "{SERIES} series, a scrape every {} s, 24 h: {samples} samples",
        EVERY / 1000
    );

    for (name, settings) in [("in memory", &in_memory), ("on disk", &on_disk)] {
        let history = History::open(settings)?;
        let start = Instant::now();
        fill(&history, &traffic, &day);
        let took = start.elapsed();
        let stats = history.stats();
        println!(
            "{name}: {:.2} million samples/s",
            samples / took.as_secs_f64() / 1e6
        );
        println!(
            "  {:.1} MiB, {:.2} bytes a sample, with labels and the uncompressed last hour",
            stats.bytes as f64 / f64::from(1 << 20),
            stats.bytes as f64 / samples
        );
        read(&history)?;
        assert!(history.flush(Duration::from_secs(60)));
    }

    let mut sizes = (0, 0);
    for entry in std::fs::read_dir(directory.path())? {
        let entry = entry?;
        let length = entry.metadata()?.len();
        let log = entry.path().extension().is_some_and(|kind| kind == "log");
        *(if log { &mut sizes.1 } else { &mut sizes.0 }) += length;
    }
    println!(
        "files: {:.1} MiB of blocks, {:.1} MiB of log",
        sizes.0 as f64 / f64::from(1 << 20),
        sizes.1 as f64 / f64::from(1 << 20)
    );
    for _ in 0..3 {
        let start = Instant::now();
        let history = History::open(&on_disk)?;
        println!(
            "open: {:.0} ms, {:?}",
            start.elapsed().as_secs_f64() * 1e3,
            history.loaded()
        );
    }
    Ok(())
}

fn fill(history: &History, traffic: &Traffic, day: &[Vec<f64>]) {
    let mut appender = history.appender();
    let mut series: Vec<SeriesRef> = Vec::new();
    for (at, values) in day.iter().enumerate() {
        let mut scrape = appender.scrape(at as i64 * EVERY);
        if series.is_empty() {
            for labels in &traffic.labels {
                let labels: Vec<_> = labels
                    .iter()
                    .map(|(name, value)| (*name, &**value))
                    .collect();
                series.extend(scrape.series(&labels));
            }
        }
        for (&series, &value) in series.iter().zip(values) {
            scrape.sample(series, value);
        }
        assert_eq!(scrape.commit().samples, SERIES as u64);
    }
}

fn read(history: &History) -> Result<(), Box<dyn Error + Send + Sync>> {
    let start = Instant::now();
    let matchers = [Matcher::equal("job", "vigie")];
    let selection = Selection {
        matchers: &matchers,
        start: 0,
        end: i64::MAX,
    };
    let mut read = 0;
    history.select(&selection, &mut |_, samples| {
        read += samples.len();
        ControlFlow::Continue(())
    })?;
    println!(
        "  read: {:.1} million samples/s",
        read as f64 / start.elapsed().as_secs_f64() / 1e6
    );
    Ok(())
}
