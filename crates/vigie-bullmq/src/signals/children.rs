//! Since when the oldest parent waits for its children.

use super::{Ask, Replies, scored};

pub(super) enum Children {
    Ask,
    Known(Option<u64>),
    Unknown,
}

impl Children {
    pub(super) fn new(any: bool) -> Self {
        match any {
            true => Self::Ask,
            false => Self::Known(None),
        }
    }

    pub(super) fn ask(&self, ask: &mut Ask<'_>) {
        if let Self::Ask = self {
            // The score is when the parent was added, or went back to wait for more children, in milliseconds.
            ask.first("waiting-children");
        }
    }

    pub(super) fn take(&mut self, replies: &mut Replies<'_>) {
        if let Self::Ask = self {
            *self = match scored(replies.next()) {
                None => Self::Unknown,
                Some(first) => Self::Known(first.first().map(|(_, since)| *since as u64)),
            };
        }
    }

    pub(super) fn age(&self, now: u64) -> Option<u64> {
        match self {
            Self::Known(since) => Some(since.map_or(0, |since| now.saturating_sub(since))),
            Self::Ask | Self::Unknown => None,
        }
    }
}
