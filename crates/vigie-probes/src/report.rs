//! The verdicts of all checks at one moment, and the resulting readiness.

use crate::clock::Moment;
use crate::source::summary;
use crate::state::{Status, Verdict};

/// The readiness, derived from all checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Every check passes.
    Ok,
    /// An optional check fails; the backend can be used.
    Degraded,
    /// A required check has no verdict yet.
    Pending,
    /// A required check fails.
    Failed,
    /// The program is shutting down.
    Draining,
}

impl Readiness {
    /// Its name in responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Draining => "draining",
        }
    }

    /// Whether traffic may be sent here.
    #[must_use]
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Ok | Self::Degraded)
    }
}

/// One check in a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The check's name.
    pub name: String,
    /// Whether readiness depends on it.
    pub required: bool,
    /// Its verdict; that of a group is the worst of its parts.
    pub verdict: Verdict,
    /// The parts of a group; `None` for a single check.
    pub parts: Option<Vec<(String, Verdict)>>,
}

/// The verdicts of all checks at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Whether the program is shutting down.
    pub draining: bool,
    /// The checks, in the order they were given.
    pub entries: Vec<Entry>,
    /// Dependencies that could be watched but are not configured.
    pub unwatched: Vec<String>,
    /// Checks that the request excluded.
    pub excluded: Vec<String>,
    pub(crate) started: Moment,
}

impl Report {
    /// The readiness, derived from all checks.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        if self.draining {
            return Readiness::Draining;
        }
        let any = |required, status| {
            let mut entries = self.entries.iter();
            entries.any(|entry| entry.required == required && entry.verdict.status == status)
        };
        if any(true, Status::Failed) {
            Readiness::Failed
        } else if any(true, Status::Pending) {
            Readiness::Pending
        } else if any(false, Status::Failed) {
            Readiness::Degraded
        } else {
            Readiness::Ok
        }
    }

    /// Removes checks, or parts of a group. Returns the names that match nothing.
    pub fn exclude<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut unknown = Vec::new();
        for name in names {
            let found = self.remove(name);
            if found {
                self.excluded.push(name.to_owned());
            }
            // An unconfigured check is excluded already.
            let left_out = self
                .excluded
                .iter()
                .chain(&self.unwatched)
                .any(|known| known == name);
            if !found && !left_out {
                unknown.push(name);
            }
        }
        unknown
    }

    fn remove(&mut self, name: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.name != name);
        if self.entries.len() < before {
            return true;
        }
        for entry in &mut self.entries {
            let Some(part) = entry.part_name(name) else {
                continue;
            };
            let Some(parts) = &mut entry.parts else {
                continue;
            };
            let before = parts.len();
            parts.retain(|(name, _)| name != part);
            if parts.len() < before {
                entry.verdict = summary(parts, self.started);
                return true;
            }
        }
        false
    }

    /// The check of this name, or the part (`group/part`) as a single check.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Entry> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.name == name) {
            return Some(entry.clone());
        }
        self.entries.iter().find_map(|entry| {
            let part = entry.part_name(name)?;
            let mut parts = entry.parts.iter().flatten();
            let (_, verdict) = parts.find(|(name, _)| name == part)?;
            Some(Entry {
                name: name.to_owned(),
                required: entry.required,
                verdict: verdict.clone(),
                parts: None,
            })
        })
    }
}

impl Entry {
    fn part_name<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&self.name)?.strip_prefix('/')
    }

    /// Whether this is, or could be, the name of a part of this group.
    pub(crate) fn owns(&self, name: &str) -> bool {
        self.parts.is_some() && self.part_name(name).is_some()
    }

    /// The parts that do not pass.
    pub(crate) fn troubled(&self) -> impl Iterator<Item = &(String, Verdict)> {
        let parts = self.parts.iter().flatten();
        parts.filter(|(_, verdict)| verdict.status != Status::Ok)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::at;
    use crate::failure::{Failure, FailureKind};
    use std::time::Duration;

    pub(crate) fn verdict(status: Status) -> Verdict {
        let refused = || Failure::new(FailureKind::Unreachable, "db:5432: connection refused");
        Verdict {
            status,
            since: at(1_500),
            duration: (status != Status::Pending).then_some(Duration::from_micros(1_250)),
            last_success: (status == Status::Ok).then(|| at(2_000)),
            failure: (status == Status::Failed).then(refused),
        }
    }

    pub(crate) fn entry(name: &str, required: bool, status: Status) -> Entry {
        Entry {
            name: name.into(),
            required,
            verdict: verdict(status),
            parts: None,
        }
    }

    pub(crate) fn group(name: &str, parts: &[(&str, Status)]) -> Entry {
        let named = |&(name, status): &(&str, _)| (name.to_owned(), verdict(status));
        let parts = Vec::from_iter(parts.iter().map(named));
        Entry {
            name: name.into(),
            required: true,
            verdict: summary(&parts, at(0)),
            parts: Some(parts),
        }
    }

    pub(crate) fn report(entries: Vec<Entry>) -> Report {
        Report {
            draining: false,
            entries,
            unwatched: vec!["app".into()],
            excluded: Vec::new(),
            started: at(0),
        }
    }

    #[test]
    fn readiness_is_the_worst_required_verdict() {
        use Status::{Failed, Ok, Pending};
        for (required, optional, expected) in [
            (Ok, Ok, Readiness::Ok),
            (Ok, Pending, Readiness::Ok),
            (Ok, Failed, Readiness::Degraded),
            (Pending, Failed, Readiness::Pending),
            (Failed, Ok, Readiness::Failed),
            (Failed, Pending, Readiness::Failed),
        ] {
            let mut report = report(vec![
                entry("a", true, required),
                entry("b", false, optional),
            ]);
            assert_eq!(report.readiness(), expected, "{required:?} {optional:?}");
            assert_eq!(expected.is_ready(), required == Ok);
            report.draining = true;
            assert_eq!(report.readiness(), Readiness::Draining);
        }
        assert_eq!(report(vec![]).readiness(), Readiness::Ok);
    }

    #[test]
    fn excluded_checks_do_not_count() {
        let mut report = report(vec![
            entry("database", true, Status::Ok),
            entry("redis", true, Status::Failed),
            group("queues", &[("mail", Status::Ok), ("a/b", Status::Failed)]),
        ]);
        let names = ["redis", "app", "redis", "nonsense", "queues/none", "queues"];
        let mut partly = report.clone();
        assert_eq!(report.exclude(names), ["nonsense", "queues/none"]);
        assert_eq!(report.excluded, ["redis", "queues"]);
        assert_eq!(report.readiness(), Readiness::Ok);

        assert_eq!(partly.exclude(["redis", "queues/a/b"]), [""; 0]);
        assert_eq!(partly.readiness(), Readiness::Ok);
        assert_eq!(partly.find("queues").unwrap().parts.unwrap().len(), 1);
    }

    #[test]
    fn checks_and_parts_are_found_by_name() {
        let report = report(vec![
            entry("queue", true, Status::Ok),
            group("queues", &[("mail", Status::Ok), ("a/b", Status::Failed)]),
        ]);
        assert_eq!(
            report.find("queues").unwrap().verdict.status,
            Status::Failed
        );
        assert_eq!(
            report.find("queues/a/b").unwrap().verdict.status,
            Status::Failed
        );
        assert_eq!(
            report.find("queues/mail").unwrap().verdict.status,
            Status::Ok
        );
        for unknown in ["", "mail", "queues/", "queuesmail", "queue/mail"] {
            assert_eq!(report.find(unknown), None, "{unknown}");
        }
    }
}
