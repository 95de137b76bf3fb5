//! The reading of a queue's stream: read position and counts.

use std::sync::Arc;

use crate::events::ledger::Ledger;
use crate::protocol::entry::{StreamId, StreamInfo};
use crate::protocol::key::QueueKey;
use crate::protocol::outcome::Ended;
use crate::series::counts::Counts;
use crate::series::families::Families;
use crate::series::levels::Row;

/// The reading of one stream.
pub(crate) struct Reading {
    /// `None`: the stream has not been checked yet, or the key holds another type.
    pub(super) ledger: Option<Ledger>,
    /// Whether a ledger was discarded because the key held another type.
    was_broken: bool,
    pub(super) counts: Counts,
}

impl Reading {
    pub(crate) fn new(families: &Arc<Families>, queue: &QueueKey, row: &Arc<Row>) -> Self {
        Self {
            ledger: None,
            was_broken: false,
            counts: Counts::new(families, queue, row),
        }
    }

    /// The entry after which to continue; `None` if the stream is not read.
    pub(crate) fn cursor(&self) -> Option<StreamId> {
        self.ledger.as_ref().map(Ledger::cursor)
    }

    /// Adds new outcomes to the totals by queue name. No lock of a queue may be held.
    pub(crate) fn publish(&mut self) {
        self.counts.publish();
    }

    /// Records that the key holds another type.
    pub(super) fn break_off(&mut self) {
        if self.ledger.take().is_some() {
            self.was_broken = true;
            self.counts.lost.inc();
        }
        self.counts.exact.forget();
    }

    /// Compares the read position with the server's description of the stream (`None`: no such stream) and the outcomes
    /// counted by the workers. `is_new`: whether the first entry of the stream is the first to read. Returns the number
    /// of newly detected missed entries.
    pub(super) fn check(
        &mut self,
        info: Option<&StreamInfo>,
        ended: Option<Ended>,
        is_new: bool,
    ) -> u64 {
        if let Some(ledger) = &mut self.ledger {
            return ledger.check_with(info, ended) + ledger.unreported_breaks();
        }
        let mut ledger = match is_new {
            true => Ledger::from_start(),
            false => Ledger::from_now(info),
        };
        let lost = ledger.check_with(info, ended);
        if self.was_broken {
            ledger = ledger.after_break();
        }
        lost + self.ledger.insert(ledger).unreported_breaks()
    }
}
