//! When a group is due.
//!
//! A group whose interval is a multiple of the scrape interval is evaluated right after a scrape, at its time, so that it
//! sees the newest samples: of the scrapes, the first one after each of its slots. Other groups are evaluated at their
//! slots, by the clock. Both are spread over their interval.

use std::time::Duration;

use vigie_alerts::engine::{Group, Time};

use crate::history::EVERY;

/// The times at which a group is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The time of the evaluation.
    pub(super) at: Time,
    /// The number of evaluations missed before it.
    pub(super) missed: u64,
}

/// Whether evaluations of the interval follow scrapes.
pub(super) fn follows_scrapes(interval: Duration) -> bool {
    let millis = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
    millis > 0 && millis % EVERY == 0
}

/// The evaluation that is due at `now` if the last one was at `last`. `now` is the time of a scrape if the group
/// [follows scrapes](follows_scrapes).
pub(super) fn due(group: &Group, last: Time, now: Time) -> Option<Due> {
    let next = group.next(last);
    if next > now {
        return None;
    }
    let missed = group.missed(last, now);
    let at = match follows_scrapes(group.interval()) {
        true => now,
        false => {
            let interval = i64::try_from(group.interval().as_millis()).unwrap_or(i64::MAX);
            let missed = i64::try_from(missed).unwrap_or(i64::MAX);
            next.saturating_add(missed.saturating_mul(interval))
        }
    };
    Some(Due { at, missed })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use vigie_alerts::engine::Defaults;

    fn group(name: &str, interval: &str) -> Group {
        let text = format!(
            "groups: [{{name: {name}, interval: {interval}, rules: [{{record: r, expr: '1'}}]}}]"
        );
        let loaded = vigie_alerts::load(&text);
        Group::new("f", &loaded.rules.groups[0], &Defaults::default())
    }

    /// The evaluations of a group at scrapes every 15 s, for ten minutes.
    fn at_scrapes(group: &Group) -> Vec<Time> {
        let mut last = 0;
        let scrapes = (1..=40).map(|n| n * EVERY);
        let times = scrapes.filter(|now| {
            let found = due(group, last, *now);
            if let Some(due) = found {
                assert_eq!((due.at, due.missed), (*now, 0));
                last = due.at;
            }
            found.is_some()
        });
        times.collect()
    }

    #[test]
    fn groups_follow_the_scrapes_and_are_spread_over_them() {
        let every: Vec<_> = (1..=40).map(|n| n * EVERY).collect();
        let mut phases = std::collections::BTreeSet::new();
        for n in 0..20 {
            assert_eq!(at_scrapes(&group(&format!("g{n}"), "15s")), every);
            let minutes = at_scrapes(&group(&format!("g{n}"), "1m"));
            assert_eq!(minutes.len(), 10);
            assert!(minutes.windows(2).all(|pair| pair[1] - pair[0] == 60_000));
            phases.insert(minutes[0] % 60_000);
        }
        assert_eq!(phases.len(), 4);
    }

    #[test]
    fn other_intervals_follow_the_clock() {
        let group = group("g", "7s");
        assert!(!follows_scrapes(group.interval()));
        let first = group.next(1_000_000);
        assert_eq!(due(&group, 1_000_000, first - 1), None);
        let on_time = Due {
            at: first,
            missed: 0,
        };
        assert_eq!(due(&group, 1_000_000, first + 10), Some(on_time));
        let late = Due {
            at: first + 21_000,
            missed: 2,
        };
        assert_eq!(due(&group, first, first + 21_500), Some(late));
    }

    #[test]
    fn missed_scrapes_are_counted() {
        let group = group("g", "15s");
        let due = due(&group, 15_000, 75_000).unwrap();
        assert_eq!((due.at, due.missed), (75_000, 3));
    }
}
