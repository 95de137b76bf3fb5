//! The time during which the metrics of a rule could not be read.

use super::super::Time;

/// An outage of the metrics of a rule, while alerts depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Outage {
    /// Since when the metrics could not be read.
    pub(in crate::engine) since: Time,
    /// The first evaluation at which they could be read again.
    pub(in crate::engine) until: Option<Time>,
}

impl Outage {
    /// The outage after an evaluation at `at`, at which the metrics are unreadable since `unreadable`; `None` when the
    /// result of the evaluation says whether the condition holds. `window` is the longest range of the expression.
    pub(super) fn after(
        before: Option<Self>,
        at: Time,
        unreadable: Option<Time>,
        window: i64,
    ) -> Option<Self> {
        if let Some(since) = unreadable {
            let since = before.map_or(since, |outage| outage.since.min(since));
            return Some(Self { since, until: None });
        }
        let outage = before?;
        let until = outage.until.unwrap_or(at);
        let oldest = at.saturating_sub(window);
        let observed = oldest <= outage.since || oldest >= until;
        (!observed).then_some(Self {
            since: outage.since,
            until: Some(until),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state after each evaluation at 0, 10, 20, …; `u` is unreadable since the first `u`.
    fn run(readings: &str, window: i64) -> String {
        let mut outage = None;
        let first = readings.find('u').map(|at| at as i64 * 10);
        let states = readings.chars().enumerate().map(|(at, reading)| {
            let unreadable = first.filter(|_| reading == 'u');
            outage = Outage::after(outage, at as i64 * 10, unreadable, window);
            if outage.is_some() { '?' } else { '.' }
        });
        states.collect()
    }

    #[test]
    fn without_ranges_the_first_reading_counts() {
        assert_eq!(run("..uu..", 0), "..??..");
    }

    #[test]
    fn a_range_longer_than_the_outage_counts_at_once() {
        assert_eq!(run("..uu....", 30), "..??....");
    }

    #[test]
    fn a_shorter_range_must_lie_after_the_outage() {
        assert_eq!(run(".uuuu......", 20), ".??????....");
    }
}
