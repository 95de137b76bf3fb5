//! Help for the tests of inspections.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use redis::Value;

use crate::events::pauses::Pauses;
use crate::protocol::key::QueueKey;
use crate::protocol::levels::{Levels, State};
use crate::protocol::testing::bulk;
use crate::signals::ask::Replies;
use crate::signals::clock::Since;
use crate::signals::events::Events;
use crate::signals::inspection::{Inspection, Remembered, Subject};

pub(super) const NOW: u64 = 1_795_425_686_973;
pub(super) const NIL: Value = Value::Nil;

/// Stub for the times known from events: ready and started, by job.
#[derive(Default)]
pub(super) struct StubEvents {
    pub(super) ready: HashMap<&'static [u8], u64>,
    pub(super) started: HashMap<&'static [u8], u64>,
    pub(super) pauses: Pauses,
    pub(super) unfollowed: bool,
}

impl Events for StubEvents {
    fn ready(&self, job: &[u8]) -> Option<u64> {
        self.ready.get(job).copied()
    }

    fn started(&self, job: &[u8]) -> Option<u64> {
        self.started.get(job).copied()
    }

    fn pauses(&self) -> Pauses {
        self.pauses
    }

    fn are_followed(&self) -> bool {
        !self.unfollowed
    }
}

pub(super) fn levels(jobs: &[(State, u64)]) -> Levels {
    let mut levels = Levels {
        states: [Some(0); 6],
        ..Levels::default()
    };
    for (state, count) in jobs {
        levels.states[*state as usize] = Some(*count);
    }
    levels
}

pub(super) fn array(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(values.into_iter().collect())
}

pub(super) fn texts(texts: &[&str]) -> Value {
    array(texts.iter().map(|text| bulk(text)))
}

pub(super) fn hash(fields: &[Option<u64>]) -> Value {
    let field = |field: &Option<u64>| field.map_or(NIL, |number| bulk(&number.to_string()));
    array(fields.iter().map(field))
}

/// The commands of a step, one per line.
pub(super) fn asked(inspection: &Inspection<'_>) -> Vec<String> {
    let mut pipeline = redis::pipe();
    inspection.ask(&mut pipeline);
    let line = |command: &redis::Cmd| {
        let parts = command.get_packed_command();
        let parts = String::from_utf8(parts).unwrap();
        let words = parts.split("\r\n").skip(2).step_by(2);
        words.collect::<Vec<_>>().join(" ")
    };
    pipeline.cmd_iter().map(line).collect()
}

pub(super) fn answer(inspection: &mut Inspection<'_>, stub: &StubEvents, replies: &[Value]) {
    let mut pipeline = redis::pipe();
    inspection.ask(&mut pipeline);
    assert_eq!(pipeline.len(), replies.len(), "{:?}", asked(inspection));
    inspection.take(&mut Replies::new(replies), stub);
}

/// Inspects a queue with a stream, which may be read back.
pub(super) fn begin(key: &QueueKey, levels: Levels, remembered: Remembered) -> Inspection<'_> {
    begin_at(Some(NOW), key, levels, remembered)
}

pub(super) fn begin_at(
    now: Option<u64>,
    key: &QueueKey,
    levels: Levels,
    remembered: Remembered,
) -> Inspection<'_> {
    let subject = Subject {
        key,
        now,
        levels,
        events: true,
        remembered,
    };
    Inspection::new(subject, &mut 1)
}

pub(super) fn anew(key: &QueueKey, levels: Levels) -> Inspection<'_> {
    begin(key, levels, Remembered::default())
}

pub(super) fn no_hash() -> Value {
    texts(&[])
}

/// No scheduler.
pub(super) const NONE: Value = Value::Int(0);
/// No rate limit.
pub(super) const FREE: Value = Value::Int(-2);

pub(super) fn ago(seconds: u64) -> u64 {
    NOW - seconds * 1_000
}

/// A start this long ago.
pub(super) fn since(seconds: u64) -> Option<Since> {
    Some(Since::At(ago(seconds)))
}
