//! The directory of dashboards, read again when the page asks and a few seconds have passed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::warn;
use vigie_metrics::{Gauge, Registry, Series};

use super::files::{self, Found};
use crate::metrics;

/// The time for which what was read is used.
const FRESH: Duration = Duration::from_secs(5);
/// The time that a request waits for a disk.
const WAIT: Duration = Duration::from_secs(2);

/// The directory. Clones share it.
#[derive(Clone)]
pub(super) struct Directory(Arc<Inner>);

struct Inner {
    path: PathBuf,
    taken: Vec<String>,
    reading: Mutex<Reading>,
    found: watch::Sender<Arc<Found>>,
    unusable: Arc<Series<Gauge, 0>>,
}

/// There is at most one reading, also if the disk hangs.
enum Reading {
    Running,
    /// When the last one ended.
    Ended(Option<Instant>),
}

impl Directory {
    /// The names in `taken` belong to other pages.
    pub(super) fn new(path: PathBuf, taken: Vec<String>, registry: &Registry) -> Self {
        let unusable = registry.family(&metrics::PAGE_DASHBOARDS_UNUSABLE);
        Self(Arc::new(Inner {
            path,
            taken,
            reading: Mutex::new(Reading::Ended(None)),
            found: watch::Sender::default(),
            unusable: unusable.series([]),
        }))
    }

    /// Its current content; while it cannot be read, that of the last time.
    pub(super) async fn found(&self) -> Arc<Found> {
        let mut found = self.0.found.subscribe();
        if self.is_fresh() {
            let found = found.borrow();
            return Arc::clone(&found);
        }
        match timeout(WAIT, found.changed()).await {
            Ok(_) => Arc::clone(&found.borrow()),
            Err(_) => {
                let before = found.borrow();
                let reason = "it does not answer in time; what it had before is shown";
                let problem = format!("page.dashboards: {}: {reason}", self.0.path.display());
                Arc::new(Found {
                    dashboards: before.dashboards.clone(),
                    problems: vec![problem],
                })
            }
        }
    }

    /// Whether it was read a moment ago. If not, it is being read.
    fn is_fresh(&self) -> bool {
        let mut reading = self.0.reading.lock();
        match *reading {
            Reading::Running => return false,
            Reading::Ended(Some(at)) if at.elapsed() < FRESH => return true,
            Reading::Ended(_) => *reading = Reading::Running,
        }
        let this = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let found = files::read(&this.path, &this.taken);
            this.publish(found);
        });
        false
    }
}

impl Inner {
    /// Counts the problems, and logs those that are new.
    fn publish(&self, found: Found) {
        self.unusable.set(found.problems.len() as f64);
        let before = Arc::clone(&self.found.borrow());
        for problem in &found.problems {
            if !before.problems.contains(problem) {
                warn!(
                    problem,
                    "a dashboard cannot be used; the page shows the others"
                );
            }
        }
        *self.reading.lock() = Reading::Ended(Some(Instant::now()));
        self.found.send_replace(Arc::new(found));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_is_noticed_and_counted() {
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("a.json");
        fs::write(&path, "{").unwrap();
        let registry = Registry::new();
        let directory = Directory::new(files.path().to_owned(), Vec::new(), &registry);
        let found = directory.found().await;
        assert_eq!((found.dashboards.len(), found.problems.len()), (0, 1));
        assert_eq!(directory.0.unusable.get(), Some(1.0));

        fs::write(&path, r#"{"panels": []}"#).unwrap();
        assert_eq!(directory.found().await.problems.len(), 1, "read too soon");
        tokio::time::advance(FRESH).await;
        let found = directory.found().await;
        assert_eq!((found.dashboards.len(), found.problems.len()), (1, 0));
        assert_eq!(directory.0.unusable.get(), Some(0.0));
    }
}
