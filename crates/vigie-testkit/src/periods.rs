//! When alerts fired, according to the notifications of a receiver; two notifiers of the same alerts are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::webhook::Notified;

/// An alert at a receiver: the key of its group, and its labels.
pub type Identity = (String, BTreeMap<String, String>);

/// The periods in which each alert fired, in milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Periods(BTreeMap<Identity, Fired>);

/// The start of each period, with its end; `None` while it lasts.
type Fired = BTreeMap<i64, Option<i64>>;

/// A time in which only one of two notifiers reported an alert as firing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The alert.
    pub alert: Identity,
    /// Whether it was the first notifier that reported it.
    pub by_first: bool,
    /// When the difference began, in milliseconds since the Unix epoch.
    pub from: i64,
    /// When it ended.
    pub to: i64,
}

impl Periods {
    /// The periods of these notifications, in the order of their arrival.
    #[must_use]
    pub fn of(alerts: &[Notified]) -> Self {
        let mut periods = Self::default();
        for alert in alerts {
            let identity = (alert.group_key.clone(), alert.labels.clone());
            let fired = periods.0.entry(identity).or_default();
            let start = alert.starts_at.as_millisecond();
            // It fires again before the end was notified: for the receiver it did not resolve.
            if let Some((_, end)) = fired.range_mut(..start).next_back() {
                end.get_or_insert(start);
            }
            let end = fired.entry(start).or_insert(None);
            *end = alert.ends_at.map(Timestamp::as_millisecond).or(*end);
        }
        periods
    }

    /// The alerts.
    pub fn alerts(&self) -> impl Iterator<Item = &Identity> {
        self.0.keys()
    }

    /// The number of periods of all alerts.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// The number of periods that last.
    #[must_use]
    pub fn open(&self) -> usize {
        let periods = self.0.values().flat_map(BTreeMap::values);
        periods.filter(|end| end.is_none()).count()
    }

    /// The times until `until` in which only one of the two reported an alert, for longer than `tolerance`.
    #[must_use]
    pub fn differences(
        &self,
        other: &Self,
        tolerance: Duration,
        until: Timestamp,
    ) -> Vec<Difference> {
        let until = until.as_millisecond();
        let tolerance = i64::try_from(tolerance.as_millis()).unwrap_or(i64::MAX);
        let alerts: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let none = Fired::new();
        let mut differences = Vec::new();
        for alert in alerts {
            let [first, second] =
                [self, other].map(|periods| periods.0.get(alert).unwrap_or(&none));
            for (by_first, from, to) in apart(first, second, until) {
                if to - from > tolerance {
                    let alert = alert.clone();
                    differences.push(Difference {
                        alert,
                        by_first,
                        from,
                        to,
                    });
                }
            }
        }
        differences
    }
}

/// The longest times in which exactly one of the two fires, and whether that is the first.
fn apart(first: &Fired, second: &Fired, until: i64) -> Vec<(bool, i64, i64)> {
    let ends = |fired: &Fired| {
        let bounds = fired
            .iter()
            .map(|(start, end)| [*start, end.unwrap_or(until)]);
        bounds.collect::<Vec<_>>()
    };
    let [first, second] = [first, second].map(ends);
    let fires = |fired: &[[i64; 2]], at: i64| {
        fired
            .iter()
            .any(|[start, end]| (*start..*end).contains(&at))
    };
    let bounds: BTreeSet<i64> = first.iter().chain(&second).flatten().copied().collect();
    let bounds: Vec<i64> = bounds.into_iter().filter(|bound| *bound <= until).collect();
    let mut apart: Vec<(bool, i64, i64)> = Vec::new();
    for pair in bounds.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let by_first = fires(&first, from);
        if by_first == fires(&second, from) {
            continue;
        }
        match apart.last_mut() {
            Some((by, _, end)) if *by == by_first && *end == from => *end = to,
            _ => apart.push((by_first, from, to)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(periods: &[(i64, Option<i64>)]) -> Periods {
        let identity = ("{}:{}".to_owned(), BTreeMap::new());
        Periods([(identity, periods.iter().copied().collect())].into())
    }

    fn compared(
        first: &[(i64, Option<i64>)],
        second: &[(i64, Option<i64>)],
    ) -> Vec<(bool, i64, i64)> {
        let until = Timestamp::UNIX_EPOCH + Duration::from_secs(1);
        let found = fired(first).differences(&fired(second), Duration::from_millis(15), until);
        let short = found.iter().map(|one| (one.by_first, one.from, one.to));
        short.collect()
    }

    #[test]
    fn transitions_within_the_tolerance_are_equal() {
        assert_eq!(compared(&[(100, Some(200))], &[(85, Some(215))]), []);
        assert_eq!(compared(&[(100, None)], &[(110, None)]), []);
        // A period or a gap that is shorter than the tolerance.
        assert_eq!(compared(&[(100, Some(115))], &[]), []);
        let flapping = [(100, Some(200)), (210, Some(300))];
        assert_eq!(compared(&flapping, &[(100, Some(300))]), []);
    }

    #[test]
    fn longer_differences_are_found() {
        assert_eq!(compared(&[(100, Some(116))], &[]), [(true, 100, 116)]);
        assert_eq!(
            compared(&[(100, Some(200))], &[(100, Some(260))]),
            [(false, 200, 260)]
        );
        assert_eq!(
            compared(&[(100, Some(200))], &[(100, None)]),
            [(false, 200, 1_000)]
        );
        let split = [(100, Some(200)), (220, Some(300))];
        assert_eq!(compared(&[(100, Some(300))], &split), [(true, 200, 220)]);
        // One of them reports an alert in another group.
        let other = ("{}:{a=\"b\"}".to_owned(), BTreeMap::new());
        let other = Periods([(other, [(100, Some(200))].into())].into());
        let until = Timestamp::UNIX_EPOCH + Duration::from_secs(1);
        let both = fired(&[(100, Some(200))]).differences(&other, Duration::from_millis(15), until);
        assert_eq!(both.len(), 2);
    }
}
