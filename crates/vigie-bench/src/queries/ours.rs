//! Our side: a history on disk, and a process of its own that answers from it.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::serve::ListenerExt as _;
use serde_json::json;
use vigie_api::{Api, BuildInfo, Source};
use vigie_history::{Appender, History, SeriesRef, Settings};
use vigie_promql::storage::{ConcurrentStorage, Selection, StorageError};
use vigie_promql::{Labels, Sample, Storage};
use vigie_testkit::Process;

use super::data::{self, Backend};

/// The bound of a query. The large ones keep every point of thousands of series, more than the default allows.
const MEMORY: usize = 256 << 20;
/// What loading and writing may take.
const LATE: Duration = Duration::from_secs(60);

pub(super) fn on_disk(directory: &Path) -> Settings {
    Settings {
        path: Some(directory.to_owned()),
        ..Settings::default()
    }
}

/// Appends scrapes whose series stay the same, or come at the end.
pub(super) struct Filler<'a> {
    appender: Appender,
    labels: &'a [data::Labels],
    series: Vec<SeriesRef>,
}

impl<'a> Filler<'a> {
    pub(super) fn new(history: &History, labels: &'a [data::Labels]) -> Self {
        Self {
            appender: history.appender(),
            labels,
            series: Vec::new(),
        }
    }

    /// The values are those of the first series.
    pub(super) fn add(&mut self, time: i64, values: &[f64]) -> anyhow::Result<()> {
        let mut scrape = self.appender.scrape(time * 1000);
        for labels in self
            .labels
            .iter()
            .take(values.len())
            .skip(self.series.len())
        {
            let labels: Vec<_> = labels
                .iter()
                .map(|(name, value)| (*name, &**value))
                .collect();
            self.series.extend(scrape.series(&labels));
        }
        for (&series, &value) in self.series.iter().zip(values) {
            scrape.sample(series, value);
        }
        let taken = scrape.commit().samples;
        ensure!(
            taken == values.len() as u64,
            "only {taken} samples were taken"
        );
        Ok(())
    }
}

/// Writes a whole day into a directory.
pub(super) fn write(directory: &Path) -> anyhow::Result<()> {
    let history = History::open(&on_disk(directory))?;
    let mut backend = Backend::new();
    let labels = backend.labels.clone();
    let mut filler = Filler::new(&history, &labels);
    for _ in 0..data::DAY {
        let (time, values) = backend.scrape();
        filler.add(time, values)?;
    }
    ensure!(history.flush(LATE), "the history cannot be written");
    Ok(())
}

/// Writes a day of metrics like ours into a directory; it ends at `end`, in Unix seconds.
pub(crate) fn write_like_ours(directory: &Path, end: i64) -> anyhow::Result<()> {
    let history = History::open(&on_disk(directory))?;
    let mut backend = Backend::new();
    let labels = backend.labels[..data::OURS].to_vec();
    let mut filler = Filler::new(&history, &labels);
    for _ in 0..data::DAY {
        let (time, values) = backend.scrape();
        filler.add(time - data::END + end, &values[..data::OURS])?;
    }
    ensure!(history.flush(LATE), "the history cannot be written");
    Ok(())
}

/// A process that holds the history of a directory and answers on a port.
pub(super) async fn start(directory: &Path) -> anyhow::Result<(Process, SocketAddr)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--serve-history").arg(directory);
    let mut process = Process::spawn("our server", command)?;
    let ready = process.next_json(LATE).await?;
    let port = ready["port"].as_u64().context("no port")?;
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port)?));
    Ok((process, addr))
}

/// What that process does, until it is killed. It serves as the program does: on one thread, and queries on others.
pub(crate) async fn serve(directory: &Path) -> anyhow::Result<()> {
    let history = History::open(&on_disk(directory))?;
    let mut settings = vigie_api::Settings::default();
    settings.limits.bytes = MEMORY;
    let api = Api::new(Arc::new(Held(history)), settings, BuildInfo::default());
    let router: axum::Router = vigie_api::router(api);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", json!({"port": listener.local_addr()?.port()}));
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await?;
    Ok(())
}

struct Held(History);

impl Storage for Held {
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.0.select(selection, each)
    }

    fn concurrent(&self) -> Option<&dyn ConcurrentStorage> {
        self.0.concurrent()
    }

    fn estimate(&self, selection: &Selection<'_>) -> usize {
        self.0.estimate(selection)
    }
}

impl Source for Held {
    fn series(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let Selection {
            matchers,
            start,
            end,
        } = *selection;
        let found = self.0.series(matchers, start, end);
        let _ = found.iter().try_for_each(each);
        Ok(())
    }
}
