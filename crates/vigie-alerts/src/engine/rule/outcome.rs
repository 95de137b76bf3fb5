//! The outcome of the last evaluation of a rule.

use std::time::Duration;

use vigie_promql::storage::Selection;

use super::super::select::Selected;
use super::super::{Context, Time};

/// How often the selectors of a rule are looked up.
const SELECTORS_EVERY: i64 = 5 * 60 * 1_000;

/// How far before the range of a selector its series may have their last sample.
const LOOKBACK: i64 = 5 * 60 * 1_000;

/// Whether the last evaluation succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// There was none.
    Unknown,
    /// It succeeded.
    Good,
    /// It failed.
    Bad,
}

impl Health {
    /// `unknown`, `ok` or `err`, as in Prometheus' API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "ok",
            Self::Bad => "err",
        }
    }
}

/// The last evaluation of a rule.
#[derive(Debug)]
pub(in crate::engine) struct Outcome {
    pub(super) health: Health,
    pub(super) error: Option<String>,
    pub(super) at: Option<Time>,
    pub(super) took: Duration,
    /// The indices of the selectors that select no series, and when they were looked up.
    pub(super) unmatched: Vec<usize>,
    looked_up: Option<Time>,
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            health: Health::Unknown,
            error: None,
            at: None,
            took: Duration::ZERO,
            unmatched: Vec::new(),
            looked_up: None,
        }
    }
}

impl Outcome {
    /// Finds the selectors that select nothing, from time to time.
    pub(super) fn look_up(&mut self, selectors: &[Selected], at: Time, context: &dyn Context) {
        let last = self.looked_up;
        if last.is_some_and(|last| (0..SELECTORS_EVERY).contains(&at.saturating_sub(last))) {
            return;
        }
        self.looked_up = Some(at);
        let selectors = selectors.iter().enumerate();
        let unmatched = selectors.filter(|(_, selected)| {
            !selected.fixed
                && !context.has_series(&Selection {
                    matchers: &selected.matchers,
                    start: at.saturating_sub(selected.from).saturating_sub(LOOKBACK),
                    end: at.saturating_sub(selected.to),
                })
        });
        self.unmatched = unmatched.map(|(index, _)| index).collect();
    }
}
