//! The file in which learned routes survive a restart.
//!
//! A separate thread reads and writes it, so that a hanging disk blocks neither the gateway nor the shutdown. Only
//! files that this module wrote are ever replaced or renamed, and a file is always replaced as a whole.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::fs::{Access, access};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{error, info, warn};
use vigie_store::{Error, file};
use vigie_traffic::{KnownRoutes, SavedError, SavedRoutes, is_saved_routes};

/// How often the routes are written, if they have changed.
const SAVE_EVERY: Duration = Duration::from_secs(10);
/// How long the gateway waits for the file before it starts without it; the routes are restored once it is read.
const LOAD_WITHIN: Duration = Duration::from_secs(1);
/// How long the shutdown waits for the last write.
pub(crate) const SAVE_WITHIN: Duration = Duration::from_secs(2);
/// The maximum size of the file, in bytes; a larger one is rejected.
const LONGEST: u64 = 32 << 20;
/// The name of the file in the directory of the history.
const NAME: &str = "gateway.routes";

/// The path of the file: the configured one, or one in the directory of the history.
pub(crate) fn path(configured: Option<PathBuf>, history: Option<&Path>) -> Option<PathBuf> {
    configured.or_else(|| history.map(|directory| directory.join(NAME)))
}

/// The state of the file, for `vigie check`.
pub(crate) enum State {
    /// There is none yet.
    None {
        /// Why none can be created.
        problem: Option<String>,
    },
    /// It cannot be read.
    Unreadable(String),
    /// Another program wrote it.
    Foreign,
    /// Its content cannot be restored.
    Unusable(SavedError),
    /// It can be restored.
    Saved(SavedRoutes),
}

/// Inspects the file without changing anything.
pub(crate) fn look(path: &Path, patterns: &[String]) -> State {
    let bytes = match read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let parent = path.parent().filter(|parent| *parent != Path::new(""));
            let parent = parent.unwrap_or(Path::new("."));
            let usable = access(parent, Access::WRITE_OK | Access::EXEC_OK);
            let problem = usable.err().map(io::Error::from);
            return State::None {
                problem: problem
                    .map(|error| format!("cannot write in {}: {error}", parent.display())),
            };
        }
        Err(Error::Foreign { .. }) => return State::Foreign,
        Err(error) => return State::Unreadable(error.to_string()),
    };
    match SavedRoutes::read(&bytes, patterns) {
        Ok(saved) => State::Saved(saved),
        Err(SavedError::Foreign) => State::Foreign,
        Err(error) => State::Unusable(error),
    }
}

/// The thread that keeps the file.
pub(crate) struct Keeper {
    orders: mpsc::SyncSender<oneshot::Sender<()>>,
}

impl Keeper {
    /// Restores the routes from the file, and keeps it up to date afterwards. `is_ready` returns whether the directory
    /// may be written to: the history claims an empty one when it is loaded.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub(crate) async fn start(
        path: PathBuf,
        routes: KnownRoutes,
        is_ready: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<Self> {
        // There is only one order: to stop.
        let (orders, received) = mpsc::sync_channel(1);
        let (sender, loaded) = oneshot::channel();
        let place = path.display().to_string();
        thread::Builder::new()
            .name("routes-file".to_owned())
            .spawn(move || {
                let mut file = RoutesFile::new(path, routes);
                file.load();
                // The receiver is dropped if loading took too long.
                let _ = sender.send(());
                keep(&mut file, &received, is_ready);
            })?;
        if timeout(LOAD_WITHIN, loaded).await.is_err() {
            warn!(
                path = place,
                "the learned routes are not read yet; the gateway starts without them"
            );
        }
        Ok(Self { orders })
    }

    /// Writes the file a last time.
    pub(crate) async fn stop(self) {
        let (sender, saved) = oneshot::channel();
        if self.orders.try_send(sender).is_ok() && timeout(SAVE_WITHIN, saved).await.is_err() {
            warn!(
                "the learned routes were not saved in time; those of the last minute may be lost"
            );
        }
    }
}

fn keep(
    file: &mut RoutesFile,
    orders: &mpsc::Receiver<oneshot::Sender<()>>,
    is_ready: impl Fn() -> bool,
) {
    loop {
        let order = orders.recv_timeout(SAVE_EVERY);
        if is_ready() {
            file.save();
        }
        match order {
            Ok(last) => {
                let _ = last.send(());
                return;
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

struct RoutesFile {
    path: PathBuf,
    routes: KnownRoutes,
    /// The content of the file.
    written: String,
    is_foreign: bool,
    is_failing: bool,
}

impl RoutesFile {
    fn new(path: PathBuf, routes: KnownRoutes) -> Self {
        Self {
            path,
            routes,
            written: String::new(),
            is_foreign: false,
            is_failing: false,
        }
    }

    /// Restores the routes from the file. An unusable file is reported; only its routes are lost.
    fn load(&mut self) {
        let path = self.path.display();
        let read = match read(&self.path) {
            Ok(Some(bytes)) => self.routes.restore(&bytes),
            Ok(None) => return,
            Err(Error::Foreign { .. }) => Err(SavedError::Foreign),
            Err(error) => {
                warn!(%path, %error, "the learned routes cannot be read; they are learned again");
                return;
            }
        };
        match read {
            Ok(()) => info!(%path, "learned routes restored"),
            Err(SavedError::Foreign) => self.is_foreign(),
            Err(why) => {
                warn!(%path, %why, "the learned routes cannot be restored; they are learned again");
                match file::set_aside(&self.path, is_saved_routes, "unusable") {
                    Ok(aside) => info!(path = %aside.display(), "the file is kept under this name"),
                    Err(error) => warn!(%error, "the file cannot be kept; it will be replaced"),
                }
            }
        }
    }

    fn save(&mut self) {
        if self.is_foreign {
            return;
        }
        let text = self.routes.save();
        if text == self.written {
            return;
        }
        let path = self.path.display().to_string();
        match file::replace(&self.path, is_saved_routes, text.as_bytes()) {
            Ok(()) => {
                if std::mem::take(&mut self.is_failing) {
                    info!(path, "the learned routes are saved again");
                }
                self.written = text;
            }
            Err(Error::Foreign { path }) if path == self.path => self.is_foreign(),
            Err(error) if !self.is_failing => {
                self.is_failing = true;
                warn!(path, %error, "the learned routes cannot be saved; Vigie retries");
            }
            Err(_) => {}
        }
    }

    fn is_foreign(&mut self) {
        self.is_foreign = true;
        let path = self.path.display();
        error!(%path, "the file is not one of learned routes; it is left alone and the routes are not saved");
    }
}

/// The content of the file, if it exists and is not empty: an empty one is a placeholder, created with the right owner.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    Ok(file::read(path, LONGEST)?.filter(|bytes| !bytes.is_empty()))
}

#[cfg(test)]
mod tests;
