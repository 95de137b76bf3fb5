//! The age of the oldest parent that waits for its children.

use crate::protocol::values::scored;
use crate::signals::ask::{Ask, Replies};
use crate::signals::clock::Since;

pub(super) enum Children {
    Ask,
    Known(Since),
    Unknown,
}

impl Children {
    pub(super) fn new(any: bool) -> Self {
        match any {
            true => Self::Ask,
            false => Self::Known(Since::Nothing),
        }
    }

    pub(super) fn ask(&self, ask: &mut Ask<'_>) {
        if let Self::Ask = self {
            // The score is the time in milliseconds when the parent was added, or moved back to wait for more children.
            ask.first("waiting-children");
        }
    }

    pub(super) fn take(&mut self, replies: &mut Replies<'_>) {
        if let Self::Ask = self {
            *self = match scored(replies.next()) {
                None => Self::Unknown,
                Some(first) => Self::Known(match first.first() {
                    Some((_, since)) => Since::At(*since as u64),
                    None => Since::Nothing,
                }),
            };
        }
    }

    pub(super) fn oldest(&self) -> Option<Since> {
        match self {
            Self::Known(since) => Some(*since),
            Self::Ask | Self::Unknown => None,
        }
    }
}
