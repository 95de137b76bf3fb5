//! Loads the history on a separate thread, so that a hanging disk delays nothing else.
//!
//! Until it is loaded, scrapes go to a history in memory, and are then [moved](move_scrapes) into the loaded one.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use parking_lot::RwLock;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{error, info, warn};
use vigie_history::{Appender, Error, History, Settings};
use vigie_promql::storage::Selection;
use vigie_promql::value::is_stale;
use vigie_promql::{Labels, Sample, Storage as _};
use vigie_redis::redact;

/// A disk that takes longer to read is reported as failing.
const SLOW: Duration = Duration::from_secs(5);
/// The temporary history may use this fraction of the memory (one in `SHARE`).
const SHARE: u64 = 4;

/// The current history. Clones share it.
#[derive(Clone)]
pub(crate) struct Current(Arc<RwLock<State>>);

struct State {
    history: History,
    /// When loading began; `None` once it is done.
    loading: Option<Instant>,
    /// Whether a directory is configured.
    has_path: bool,
}

impl Current {
    /// Creates a history in memory: the only one, or the temporary one until the history on disk is loaded. Reads no
    /// file.
    pub(crate) fn in_memory(settings: &Settings) -> Result<Self> {
        let has_path = settings.path.is_some();
        let max_bytes = match has_path {
            true => settings.max_bytes / SHARE,
            false => settings.max_bytes,
        };
        Ok(Self(Arc::new(RwLock::new(State {
            history: in_memory(settings, max_bytes)?,
            loading: has_path.then(Instant::now),
            has_path,
        }))))
    }

    /// The history that currently receives the scrapes.
    pub(crate) fn history(&self) -> History {
        self.0.read().history.clone()
    }

    /// The history, if it is loaded.
    pub(crate) fn loaded(&self) -> Option<History> {
        let state = self.0.read();
        state.loading.is_none().then(|| state.history.clone())
    }

    /// Waits until all accepted samples are in files. Dropping the history is not enough, because a query that still
    /// reads it keeps it open.
    pub(crate) async fn flushed(&self, timeout: Duration) {
        let history = self.history();
        let flushed = tokio::task::spawn_blocking(move || history.flush(timeout)).await;
        if !matches!(flushed, Ok(true)) {
            warn!("the history's last samples could not be written in time; they are lost");
        }
    }

    /// Whether a directory is configured but cannot be used: loading takes longer than a working disk would, or the
    /// history had to be opened in memory.
    pub(crate) fn lacks_disk(&self) -> bool {
        let state = self.0.read();
        state.has_path && state.loading.is_none_or(|since| since.elapsed() > SLOW)
    }

    /// Replaces the temporary history.
    pub(crate) fn is_now(&self, history: History) {
        let mut state = self.0.write();
        state.history = history;
        state.loading = None;
    }
}

/// Loads the history from disk on a thread that may hang and is not joined. `None` if no path is configured.
pub(crate) fn load(settings: &Settings) -> Result<Option<oneshot::Receiver<Result<History>>>> {
    if settings.path.is_none() {
        return Ok(None);
    }
    let (sender, receiver) = oneshot::channel();
    let settings = settings.clone();
    thread::Builder::new()
        .name("history-load".to_owned())
        .spawn(move || {
            // The receiver is dropped if the program stops first.
            let _ = sender.send(open(&settings));
        })
        .context("cannot start the thread that loads the history")?;
    Ok(Some(receiver))
}

fn in_memory(settings: &Settings, max_bytes: u64) -> Result<History> {
    let settings = Settings {
        path: None,
        max_bytes,
        ..settings.clone()
    };
    History::open(&settings).context("history")
}

/// Opens the history and logs its size. If its directory cannot be used, it is opened in memory.
pub(super) fn open(settings: &Settings) -> Result<History> {
    let history = match History::open(settings) {
        Err(error @ Error::Directory { .. }) if !error.is_misconfiguration() => {
            let error = anyhow::Error::from(error);
            error!(
                error = redact::addresses(&format!("{error:#}")),
                "history.path cannot be used; the history is kept in memory until the next start"
            );
            return in_memory(settings, settings.max_bytes);
        }
        opened => opened.context("history.path")?,
    };
    let loaded = history.loaded();
    for (file, why) in &loaded.damaged {
        warn!(
            file,
            why, "a file of the history is damaged; the samples before the damage are used"
        );
    }
    if let Some(path) = &settings.path {
        let (blocks, series) = (loaded.blocks, loaded.series);
        let path = redact::addresses(&path.display().to_string());
        info!(path, blocks, series, "history loaded");
    }
    Ok(history)
}

/// Copies the scrapes of one history into another. Staleness is derived again from the scrapes.
pub(super) fn move_scrapes(from: &History, to: &mut Appender) {
    for time in times(from) {
        let mut scrape = to.scrape(time);
        each(from, time, time, |labels, samples| {
            let sample = samples.iter().find(|sample| sample.time == time);
            let Some(sample) = sample.filter(|sample| !is_stale(sample.value)) else {
                return;
            };
            let labels: Vec<_> = labels.iter().collect();
            if let Some(series) = scrape.series(&labels) {
                scrape.sample(series, sample.value);
            }
        });
        scrape.commit();
    }
}

/// The times of all scrapes.
fn times(history: &History) -> BTreeSet<i64> {
    let mut times = BTreeSet::new();
    each(history, i64::MIN, i64::MAX, |_, samples| {
        times.extend(samples.iter().map(|sample| sample.time));
    });
    times
}

fn each(history: &History, start: i64, end: i64, mut each: impl FnMut(&Labels, &[Sample])) {
    let all = Selection {
        matchers: &[],
        start,
        end,
    };
    let read = history.select(&all, &mut |labels, samples| {
        each(labels, samples);
        ControlFlow::Continue(())
    });
    if let Err(error) = read {
        warn!(%error, "some samples scraped while the history was loaded are lost");
    }
}
