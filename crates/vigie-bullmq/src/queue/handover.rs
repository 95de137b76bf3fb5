//! The handover of a queue's reading from one task to another. The reading outlives connections, and moves with its
//! queue from node to node.

/// Holds the reading while no task has taken it. One task has it at a time, so that no entry is read twice.
#[derive(Default)]
pub(crate) enum Handover<T> {
    /// Not started.
    #[default]
    New,
    Here(T),
    Taken,
    /// The queue is no longer followed.
    Over {
        is_taken: bool,
    },
}

impl<T> Handover<T> {
    /// Takes the reading, or creates it. `None`: another task has it, or the queue is no longer followed.
    pub(crate) fn take(&mut self, begin: impl FnOnce() -> T) -> Option<T> {
        match std::mem::replace(self, Self::Taken) {
            Self::New => Some(begin()),
            Self::Here(reading) => Some(reading),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Puts the reading back. Returns whether the queue is no longer followed, so that its counts can be removed.
    #[must_use]
    pub(crate) fn give(&mut self, reading: T) -> bool {
        let is_over = matches!(self, Self::Over { .. });
        *self = match is_over {
            true => Self::Over { is_taken: false },
            false => Self::Here(reading),
        };
        is_over
    }

    /// Marks the queue as no longer followed. Returns whether no task has the reading, so that its counts can be
    /// removed.
    #[must_use]
    pub(crate) fn end(&mut self) -> bool {
        let is_taken = matches!(self, Self::Taken | Self::Over { is_taken: true });
        *self = Self::Over { is_taken };
        !is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time() {
        let mut handover = Handover::default();
        assert_eq!(handover.take(|| 1), Some(1));
        assert_eq!(handover.take(|| 2), None);
        assert!(!handover.give(5));
        assert_eq!(handover.take(|| 3), Some(5));
    }

    #[test]
    fn counts_are_released_once_by_the_last_holder() {
        let mut handover = Handover::default();
        let reading = handover.take(|| 1);
        assert_eq!((handover.end(), handover.take(|| 2)), (false, None));
        assert!(handover.give(reading.unwrap_or_default()));
        assert_eq!(handover.take(|| 2), None);

        let mut handover = Handover::<u8>::default();
        assert_eq!((handover.end(), handover.take(|| 2)), (true, None));
    }
}
