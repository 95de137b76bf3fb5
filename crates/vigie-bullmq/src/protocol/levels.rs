//! The states of jobs, and the levels of a queue.

/// A state in which a job stays. Each job is in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Ready to run.
    Waiting,
    /// Running.
    Active,
    /// Not due yet.
    Delayed,
    /// Ready to run, by priority.
    Prioritized,
    /// Ready to run once the queue is resumed.
    Paused,
    /// A parent whose children have not all ended.
    WaitingChildren,
}

impl State {
    /// All states, in the order of [`Levels::states`].
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Active,
        Self::Delayed,
        Self::Prioritized,
        Self::Paused,
        Self::WaitingChildren,
    ];

    /// The name used by BullMQ and in the label `state`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Delayed => "delayed",
            Self::Prioritized => "prioritized",
            Self::Paused => "paused",
            Self::WaitingChildren => "waiting-children",
        }
    }
}

/// The jobs of a queue by state. `None`: a key holds an unexpected type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Jobs by state, in the order of [`State::ALL`].
    pub states: [Option<u64>; 6],
    /// Retained completed and failed jobs; not the number of outcomes.
    pub retained: [Option<u64>; 2],
    /// Whether the queue is paused.
    pub paused: Option<bool>,
    /// Maximum number of active jobs across all workers; `None`: no limit.
    pub concurrency: Option<u64>,
    /// Maximum number of jobs started per rate limit window across all workers; `None`: no limit.
    pub rate: Option<u64>,
}

impl Levels {
    /// The levels of an empty queue.
    pub(crate) const NONE: Self = Self {
        states: [Some(0); 6],
        retained: [Some(0); 2],
        paused: Some(false),
        concurrency: None,
        rate: None,
    };

    /// The jobs in one state.
    #[must_use]
    pub fn get(&self, state: State) -> Option<u64> {
        // `ALL` has the order of the declaration.
        self.states[state as usize]
    }

    /// Whether the concurrency limit is reached; `None`: no limit, or unknown levels.
    #[must_use]
    pub fn concurrency_reached(&self) -> Option<bool> {
        Some(self.get(State::Active)? >= self.concurrency?)
    }

    /// All jobs that have not ended; `None` if some are unknown.
    pub(crate) fn in_flight(&self) -> Option<u64> {
        self.states.iter().copied().sum()
    }

    /// Whether all levels are known.
    pub(crate) fn are_known(&self) -> bool {
        let mut jobs = self.states.iter().chain(&self.retained);
        jobs.all(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_states_is_that_of_the_declaration() {
        for (at, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(at, state as usize);
        }
    }
}
