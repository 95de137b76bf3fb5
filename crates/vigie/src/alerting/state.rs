//! The state of the alerts on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};
use vigie_alerts::engine::SavedGroup;
use vigie_redis::redact;
use vigie_store::{Directory, Error, Kind, Loaded};

pub(super) const NAME: &str = "rules.state";
const KIND: Kind = Kind::new(*b"RULE", 1);
/// The largest file that is read, in bytes: some 10,000 alerts have a few megabytes.
const MAX_BYTES: u64 = 64 << 20;
/// The directory of the state in that of the history.
const IN_HISTORY: &str = "alerts";

/// The saved groups.
#[derive(Serialize, Deserialize)]
struct Saved<G> {
    groups: Vec<G>,
}

/// The file with the state, or none. Its functions block.
#[derive(Clone)]
pub(super) struct State {
    directory: Option<Arc<Directory>>,
    /// Whether the last write succeeded.
    works: bool,
}

/// The directory of the state, if there is one.
pub(crate) fn path(settings: &vigie_config::Settings) -> Option<PathBuf> {
    let alerts = settings.alerts.path.clone();
    let below = || Some(settings.history.path.as_ref()?.join(IN_HISTORY));
    alerts.or_else(below)
}

/// Opens the directory. If it cannot be used, the state is kept in memory until the next start.
pub(super) fn open(path: Option<&Path>) -> Option<Arc<Directory>> {
    let Some(path) = path else {
        info!(
            "alerts.path and history.path are not set; pending and firing alerts start again after a restart"
        );
        return None;
    };
    match Directory::open(path) {
        Ok(directory) => Some(Arc::new(directory)),
        Err(error) => {
            let error = redact::addresses(&error.to_string());
            error!(
                error,
                "alerts.path cannot be used; the state of alerts is kept in memory until the next start"
            );
            None
        }
    }
}

impl State {
    /// The state in this directory; `None` if it could not be opened, or is not configured.
    pub(super) fn new(directory: Option<Arc<Directory>>, is_configured: bool) -> Self {
        Self {
            works: directory.is_some() || !is_configured,
            directory,
        }
    }

    /// Whether the state is on disk; `None` if it is not configured to be.
    pub(super) fn is_up(&self) -> Option<bool> {
        (self.directory.is_some() || !self.works).then_some(self.works)
    }

    /// The saved groups; none if the file cannot be used, which is renamed. A file that cannot be renamed is not replaced:
    /// then the state is kept in memory until the next start.
    pub(super) fn load(&mut self) -> Vec<SavedGroup> {
        let Some(directory) = &self.directory else {
            return Vec::new();
        };
        let (why, aside) = match directory.load(NAME, KIND, MAX_BYTES) {
            Ok(Loaded::Missing) => return Vec::new(),
            Ok(Loaded::Document(bytes)) => match serde_json::from_slice::<Saved<_>>(&bytes) {
                Ok(saved) => return saved.groups,
                Err(error) => (error.to_string(), directory.set_aside(NAME)),
            },
            Ok(Loaded::SetAside { why, path }) => (why.to_string(), Ok(path)),
            Err(error) => (error.to_string(), directory.set_aside(NAME)),
        };
        let why = redact::addresses(&why);
        match aside {
            Ok(path) => {
                let path = redact::addresses(&path.display().to_string());
                error!(
                    why,
                    path,
                    "the state of alerts cannot be used; the file is kept under this name, and all alerts start again"
                );
            }
            Err(error) => {
                let error = redact::addresses(&error.to_string());
                error!(
                    why,
                    error,
                    "the state of alerts cannot be used, and its file cannot be renamed; all alerts start again, and their state is kept in memory until the next start"
                );
                self.directory = None;
                self.works = false;
            }
        }
        Vec::new()
    }

    /// Replaces the file. Failures are logged once, until a write succeeds.
    pub(super) fn save(&mut self, groups: &[Arc<SavedGroup>]) {
        let Some(directory) = &self.directory else {
            return;
        };
        let groups: Vec<&SavedGroup> = groups.iter().map(|group| &**group).collect();
        let written = match serde_json::to_vec(&Saved { groups }) {
            Ok(bytes) => directory.save(NAME, KIND, &bytes),
            Err(error) => {
                error!(%error, "the state of alerts cannot be serialized");
                return;
            }
        };
        let works = written.is_ok();
        match (written, self.works) {
            (Ok(()), false) => info!("the state of alerts is written again"),
            (Err(error), true) => report(&error),
            _ => {}
        }
        self.works = works;
    }
}

fn report(error: &Error) {
    let error = redact::addresses(&error.to_string());
    warn!(
        error,
        "the state of alerts cannot be written; it is kept in memory and written when this is possible"
    );
}
