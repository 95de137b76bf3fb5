//! Changes of all groups at once: a reload, and the time at which this replica begins to notify.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::timeout;
use tracing::{error, info, warn};
use vigie_alerts::engine::{Closed, Context as _, Group, Time};

use super::{SHORTEST_TIMEOUT, Scheduler, Slot};
use crate::alerting::context::Context;
use crate::alerting::files::Files;
use crate::alerting::notifier::Replacement;
use crate::alerting::published::{Shown, id};
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
struct Fresh {
    groups: Vec<Group>,
    recorded: Recorded,
    notifications: Replacement,
}

/// The changes that wait until no group is evaluated. Meanwhile no evaluation starts.
#[derive(Default)]
pub(super) struct Waiting {
    files: Option<(Request, Fresh)>,
    tells_all: bool,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_none() && !self.tells_all
    }

    pub(super) fn has_files(&self) -> bool {
        self.files.is_some()
    }
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

    /// All alerts are passed to the notifier when this replica begins to notify.
    pub(super) fn look_whether_elected(&mut self) {
        self.waiting.tells_all |= self.outlet.begins();
    }

    /// Makes the changes that wait. No group is being evaluated.
    pub(super) fn change_all(&mut self) {
        if let Some((request, fresh)) = self.waiting.files.take() {
            let now = self.shared.clock.millis();
            let groups = fresh.groups.len();
            self.recorded = Arc::new(fresh.recorded);
            self.replace(fresh.groups, now);
            self.notifications.replace(fresh.notifications);
            info!(groups, "the rule files and the receivers were read again");
            self.shared.recorder.reloaded(Some(now));
            request.answer(Ok(()));
        }
        if std::mem::take(&mut self.waiting.tells_all) {
            let updates = self.idle().flat_map(Group::updates).collect();
            let refused = self.outlet.pass_all(updates);
            self.shared.recorder.refused(refused);
        }
    }

    /// Replaces the groups. Rules that exist before and after keep their state; the alerts of others resolve.
    fn replace(&mut self, groups: Vec<Group>, now: Time) {
        let mut old = std::mem::take(&mut self.slots);
        let mut closed = Closed::default();
        for mut group in groups {
            let id = id(&group);
            let before = old.remove(&id);
            let last = before.as_ref().map_or(now, |slot| slot.last);
            if let Some(before) = before.and_then(|slot| slot.group) {
                closed.extend(group.adopt(before, now));
            }
            self.slots.insert(id, Slot::new(group, last));
        }
        for (id, slot) in old {
            self.shared.recorder.forget(&id);
            if let Some(group) = slot.group {
                closed.extend(group.close(now));
            }
        }
        let alerts = self.idle().map(Group::alert_count).sum();
        self.shared.room.set(alerts);
        let late_from = self.late_from();
        // Before the first evaluation there is nothing to be late.
        self.shared.late_from.send_if_modified(|current| {
            let has_begun = current.is_some();
            if has_begun {
                *current = late_from;
            }
            has_begun
        });
        self.saver.clear();
        self.save_all();
        self.saver.start();
        self.publish_all();
        self.end(closed);
    }

    pub(super) fn publish_all(&self) {
        let published = &self.shared.published;
        published.retain(|id| self.slots.contains_key(id));
        for group in self.idle() {
            let (at, took) = (group.last_evaluation(), group.evaluation_duration());
            published.set(id(group), Shown::of(group, at, took));
            let interval = group.interval();
            self.shared.recorder.interval(&id(group), interval);
        }
    }

    /// Ends the series of rules that no longer exist, and resolves their alerts.
    pub(super) fn end(&self, closed: Closed) {
        let refused = self.outlet.pass(closed.updates);
        self.shared.recorder.refused(refused);
        let Some(history) = self.shared.history.loaded() else {
            return;
        };
        let mut context = Context::new(
            &self.shared.settings,
            &self.recorded,
            &history,
            self.shared.clock.millis(),
            SHORTEST_TIMEOUT,
            &self.shared.room,
        );
        // A marker that is refused ends nothing: the series has a later sample.
        let _ = context.write(&closed.samples);
    }
}
