//! The outcomes of jobs and attempts, and one value for each of them.

use std::ops::{Index, IndexMut};

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Final {
    Completed,
    /// Failed permanently.
    Failed,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The job ended with the attempt.
    Final(Final),
    /// The job will run again: after a failure, a rate limit, or its children.
    Retried,
}

impl Final {
    pub(crate) const ALL: [Self; 2] = [Self::Completed, Self::Failed];

    /// The name used by BullMQ and in labels.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

impl Outcome {
    #[cfg(test)]
    pub(crate) const COMPLETED: Self = Self::Final(Final::Completed);
    pub(crate) const FAILED: Self = Self::Final(Final::Failed);

    /// The name in labels.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Final(end) => end.as_str(),
            Self::Retried => "retried",
        }
    }
}

/// One value for each way in which a job can end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PerFinal<T>([T; 2]);

impl<T> PerFinal<T> {
    pub(crate) fn new(completed: T, failed: T) -> Self {
        Self([completed, failed])
    }

    pub(crate) fn from_fn(value: impl FnMut(Final) -> T) -> Self {
        Self(Final::ALL.map(value))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Final, &T)> {
        Final::ALL.into_iter().zip(&self.0)
    }
}

/// Numbers of jobs, by outcome.
pub(crate) type Ended = PerFinal<u64>;

impl Ended {
    pub(crate) fn is_zero(&self) -> bool {
        self.0 == [0; 2]
    }
}

impl<T> Index<Final> for PerFinal<T> {
    type Output = T;

    fn index(&self, end: Final) -> &T {
        &self.0[end as usize]
    }
}

impl<T> IndexMut<Final> for PerFinal<T> {
    fn index_mut(&mut self, end: Final) -> &mut T {
        &mut self.0[end as usize]
    }
}

/// One value for each outcome of an attempt.
#[derive(Default)]
pub(crate) struct PerOutcome<T> {
    ended: PerFinal<T>,
    retried: T,
}

impl<T> IndexMut<Outcome> for PerOutcome<T> {
    fn index_mut(&mut self, outcome: Outcome) -> &mut T {
        match outcome {
            Outcome::Final(end) => &mut self.ended[end],
            Outcome::Retried => &mut self.retried,
        }
    }
}

impl<T> Index<Outcome> for PerOutcome<T> {
    type Output = T;

    fn index(&self, outcome: Outcome) -> &T {
        match outcome {
            Outcome::Final(end) => &self.ended[end],
            Outcome::Retried => &self.retried,
        }
    }
}
