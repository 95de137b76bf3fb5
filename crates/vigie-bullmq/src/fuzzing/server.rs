//! A simulated stream.

use std::collections::VecDeque;

use redis::Value;

use crate::fuzzing::input::{Input, bulk};
use crate::protocol::entry::{StreamId, StreamInfo};
use crate::protocol::outcome::Ended;

/// A simulated Redis stream.
#[derive(Default)]
pub(super) struct Server {
    pub(super) entries: VecDeque<(StreamId, Value)>,
    pub(super) last: StreamId,
    pub(super) added: u64,
    pub(super) ended: Ended,
    /// Outcomes counted by the workers, some of which may not count.
    pub(super) metered: Ended,
}

impl Server {
    pub(super) fn add(&mut self, input: &mut Input<'_>) {
        let ahead = u64::from(input.byte());
        self.last = StreamId {
            ms: self.last.ms + ahead * ahead,
            seq: self.last.seq + 1,
        };
        let (fields, ended) = input.fields();
        if let Some(ended) = ended {
            self.ended[ended] += 1;
            self.metered[ended] += u64::from(input.byte() < 250);
        }
        let id = bulk(self.last.to_string().as_bytes());
        let entry = Value::Array(vec![id, Value::Array(fields)]);
        self.entries.push_back((self.last, entry));
        self.added += 1;
    }

    pub(super) fn trim(&mut self, keep: usize) {
        let from = self.entries.len().saturating_sub(keep);
        self.entries.drain(..from);
    }

    pub(super) fn info(&self) -> StreamInfo {
        StreamInfo {
            last: self.last,
            first: self.entries.front().map(|(id, _)| *id),
            length: self.entries.len() as u64,
            added: Some(self.added),
        }
    }
}
