//! How fast the history fills, how small it is and how fast it is back.

use vigie_history::{History, Settings};

use super::data::{self, Backend};
use super::ours::{Filler, on_disk};
use super::seconds;
use crate::Options;
use crate::report::{MIB, Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};

/// The scrapes that are appended in a round: six hours.
const SCRAPES: usize = 6 * data::HOUR;

/// A day of metrics like ours.
struct Day {
    labels: Vec<data::Labels>,
    scrapes: Vec<(i64, Vec<f64>)>,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let day = Day::new();
    let directory = tempfile::tempdir()?;
    let kept = on_disk(directory.path());
    let history = History::open(&kept)?;
    day.fill(&history, data::DAY)?;
    anyhow::ensure!(history.flush(std::time::Duration::from_secs(60)));
    let bytes = history.stats().bytes as f64;
    drop(history);

    let [mut in_memory, mut with_disk, mut open] = [const { Vec::new() }; 3];
    let millions = (SCRAPES * data::OURS) as f64 / 1e6;
    for round in 0..=options.rounds {
        let history = History::open(&Settings::default())?;
        let memory = millions / seconds(|| day.fill(&history, SCRAPES))?;
        drop(history);
        let directory = tempfile::tempdir()?;
        let history = History::open(&on_disk(directory.path()))?;
        let disk = millions / seconds(|| day.fill(&history, SCRAPES))?;
        drop(history);
        let start = seconds(|| Ok(History::open(&kept)?))? * 1e3;
        // The first round warms up.
        if round > 0 {
            in_memory.push(memory);
            with_disk.push(disk);
            open.push(start);
        }
    }

    heading("The history");
    note(&format!(
        "{} series like Vigie's own, every 15 s. Medians of {} rounds (least–greatest).",
        figure(data::OURS as f64),
        options.rounds,
    ));
    let sample = bytes / (data::DAY * data::OURS) as f64;
    let mut table = Table::new(["what", "measured"]);
    let rows = [
        (
            "million samples a second, in memory",
            spread(&in_memory, figure),
        ),
        (
            "million samples a second, with disk",
            spread(&with_disk, figure),
        ),
        (
            "memory for 24 h, MiB, labels and all else included",
            figure(bytes / MIB),
        ),
        ("bytes a sample, the same included", figure(sample)),
        ("opening with 24 h on disk, ms", spread(&open, figure)),
    ];
    for (what, measured) in rows {
        table.row([what.into(), measured]);
    }
    table.print();
    let mut targets = Targets::new();
    targets.at_least("insert, in memory", 15.0, median(&in_memory), " M/s");
    targets.at_least("insert, with disk", 2.0, median(&with_disk), " M/s");
    targets.at_most("bytes a sample", 2.0, sample, " B");
    targets.at_most("memory for 24 h", 30.0, bytes / MIB, " MiB");
    targets.at_most("start with 24 h", 300.0, median(&open), " ms");
    targets.print();
    Ok(())
}

impl Day {
    fn new() -> Self {
        let mut backend = Backend::new();
        let labels = backend.labels[..data::OURS].to_vec();
        let scrapes = (0..data::DAY).map(|_| {
            let (time, values) = backend.scrape();
            (time, values[..data::OURS].to_vec())
        });
        let scrapes = scrapes.collect();
        Self { labels, scrapes }
    }

    /// Appends as many scrapes.
    fn fill(&self, history: &History, scrapes: usize) -> anyhow::Result<()> {
        let mut filler = Filler::new(history, &self.labels);
        for (time, values) in &self.scrapes[..scrapes] {
            filler.add(*time, values)?;
        }
        Ok(())
    }
}
