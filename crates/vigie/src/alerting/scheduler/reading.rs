//! Reads the files of rules and receivers again, beside the evaluations.

use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::timeout;
use tracing::{error, warn};
use vigie_alerts::engine::Group;

use super::Scheduler;
use crate::alerting::files::Files;
use crate::alerting::receiving::Replacement;
use crate::alerting::reloader::Request;
use crate::alerting::sources::Recorded;

/// The time after which it is reported that files are still being read.
const SLOW: Duration = Duration::from_secs(5);

/// The files that a reload has read, or their mistakes.
pub(super) struct Read {
    request: Request,
    files: Result<Fresh, String>,
}

/// The contents of the files, ready to be used.
pub(super) struct Fresh {
    pub(super) groups: Vec<Group>,
    pub(super) recorded: Recorded,
    pub(super) notifications: Replacement,
}

impl Scheduler {
    /// Begins to read the files. A disk that hangs delays only this reload and the next ones.
    pub(super) fn read(&mut self, request: Request) {
        let inputs = self.shared.inputs.clone();
        let notifications = self.notifications.clone();
        let recorder = self.shared.recorder.clone();
        let read = move || {
            let Files {
                groups,
                recorded,
                notifications: configured,
            } = inputs.read().map_err(|error| error.to_string())?;
            Ok(Fresh {
                groups,
                recorded,
                notifications: notifications.prepare(configured),
            })
        };
        self.reading.spawn(async move {
            let mut reading = tokio::task::spawn_blocking(read);
            let files = match timeout(SLOW, &mut reading).await {
                Ok(files) => files,
                Err(_) => {
                    recorder.reloaded(None);
                    error!(
                        "the files of alerts.rules and [notify] take longer than {SLOW:?} to read; the previous rules and receivers stay active until they are read"
                    );
                    reading.await
                }
            };
            match files {
                Ok(files) => Read { request, files },
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        });
    }

    /// Keeps the files for the moment at which no group is evaluated, unless they have a mistake.
    pub(super) fn take_files(&mut self, read: Result<Read, JoinError>) {
        let Read { request, files } = match read {
            Ok(read) => read,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        match files {
            Ok(fresh) => self.waiting.files = Some((request, fresh)),
            Err(mistakes) => {
                warn!(
                    "the files cannot be used; the previous rules and receivers stay active\n{mistakes}"
                );
                self.shared.recorder.reloaded(None);
                request.answer(Err(mistakes));
            }
        }
    }
}
