//! The files of rules and notifications, which are read at the start and at a reload.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tracing::warn;
use vigie_alerts::engine::{Defaults, Group};
use vigie_config::{Alerts, Notify};
use vigie_promql::Features;

use super::load::{self, Rules};
use super::receivers::Notifications;
use super::sources::Recorded;

/// How long the start waits for the files. The gateway must not wait for a disk that hangs.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// The settings that name the files.
#[derive(Clone)]
pub(super) struct Inputs {
    pub(super) alerts: Arc<Alerts>,
    /// The part of PromQL that rules may use.
    pub(super) features: Features,
    pub(super) notify: Arc<Notify>,
    pub(super) defaults: Defaults,
}

/// The contents of all files.
pub(super) struct Files {
    pub(super) groups: Vec<Group>,
    /// The sources of the metrics that the rules record.
    pub(super) recorded: Recorded,
    pub(super) notifications: Notifications,
}

impl Inputs {
    /// Reads all files. Blocks.
    ///
    /// # Errors
    /// All [`Mistakes`](super::Mistakes) in the rules, or an [`Unusable`](super::Unusable) configuration of notifications.
    pub(super) fn read(&self) -> Result<Files> {
        let Rules { files, unmatched } = load::load(&self.alerts, self.features)?;
        for pattern in unmatched {
            warn!(pattern, "no file matches this pattern of alerts.rules");
        }
        let groups = files.iter().flat_map(|file| {
            let groups = file.rules.groups.iter();
            groups.map(|group| Group::new(&file.name, group, &self.defaults))
        });
        Ok(Files {
            groups: groups.collect(),
            recorded: Recorded::of(files.iter().map(|file| &file.rules)),
            notifications: Notifications::load(&self.notify)?,
        })
    }
}

/// The files at the start, which may still be being read.
pub(super) struct Loading {
    read: Option<Files>,
    later: Receiver<Result<Files>>,
}

impl Loading {
    /// Reads the files on a thread, and waits for them for a moment: a mistake is to end the start.
    ///
    /// # Errors
    /// The errors of [`Inputs::read`], if the files were read in time.
    pub(super) fn begin(inputs: Inputs) -> Result<Self> {
        let (sender, later) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("alerting-files".to_owned())
            .spawn(move || {
                // Nobody receives them if the program has ended.
                let _ = sender.send(inputs.read());
            })?;
        let read = match later.recv_timeout(READ_WITHIN) {
            Ok(read) => Some(read?),
            Err(RecvTimeoutError::Timeout) => {
                warn!(
                    "the files of alerts.rules and [notify] are not read yet; Vigie starts without them"
                );
                None
            }
            Err(RecvTimeoutError::Disconnected) => return Err(gone()),
        };
        Ok(Self { read, later })
    }

    /// The files, if they are read.
    pub(super) fn read(&self) -> Option<&Files> {
        self.read.as_ref()
    }

    /// Waits for the files. Blocks.
    ///
    /// # Errors
    /// The errors of [`Inputs::read`].
    pub(super) fn finish(self) -> Result<Files> {
        match self.read {
            Some(files) => Ok(files),
            None => self.later.recv().unwrap_or_else(|_| Err(gone())),
        }
    }
}

fn gone() -> anyhow::Error {
    anyhow!("alerts.rules: the thread that reads the files is gone")
}
