//! Selects the queues to count: those with changes, and of the others those counted longest ago.
//!
//! BullMQ writes each change of a queue to its event stream in the same script. The levels of a queue whose followed
//! stream has no new entries are therefore unchanged. But three calls emit no event (`drain()`, `obliterate()`,
//! `changePriority()`), and a stream may be trimmed before it is read: so quiet queues are also counted, in turn.

use std::time::Duration;

use tokio::time::Instant;

/// Maximum age of a count while Redis replies.
pub(crate) const WITHIN: Duration = Duration::from_secs(10);
/// Duration of a turn over all quiet queues if each refresh is on time.
const TURN: Duration = Duration::from_secs(8);
/// Minimum number of quiet queues per refresh: a quarter of a millisecond of server time.
const SHARE: usize = 100;

/// How old the count of a queue is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    /// Time of the last count; `None`: the levels are unknown.
    pub(crate) counted: Option<Instant>,
    /// Whether the stream is followed, and had no new entry since the last count.
    pub(crate) quiet: bool,
}

/// The ascending indices of the queues to count at `now`, if the next refresh is after `every`.
pub(crate) fn due(
    queues: impl ExactSizeIterator<Item = Age>,
    now: Instant,
    every: Duration,
) -> Vec<usize> {
    let part = every.as_secs_f64() / TURN.as_secs_f64();
    let share = (queues.len() as f64 * part).ceil() as usize;
    let share = share.max(SHARE);
    let (mut due, mut quiet) = (Vec::new(), Vec::new());
    for (at, queue) in queues.enumerate() {
        match queue.counted {
            Some(counted) if queue.quiet => quiet.push((counted, at)),
            _ => due.push(at),
        }
    }
    quiet.sort_unstable();
    let too_old = |counted: Instant| counted + WITHIN < now + every;
    let in_turn = quiet.iter().enumerate();
    let in_turn = in_turn.take_while(|(nth, (counted, _))| *nth < share || too_old(*counted));
    due.extend(in_turn.map(|(_, (_, at))| *at));
    due.sort_unstable();
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn age(counted: Option<Instant>, quiet: bool) -> Age {
        Age { counted, quiet }
    }

    #[test]
    fn few_queues_are_all_counted_every_time() {
        let now = Instant::now();
        let queues = vec![age(Some(now), true); SHARE];
        assert_eq!(due(queues.into_iter(), now, SECOND).len(), SHARE);
    }

    #[test]
    fn of_many_the_eventful_the_unknown_and_the_oldest() {
        let now = Instant::now();
        let mut queues = vec![age(Some(now), true); 800];
        queues[3] = age(Some(now), false);
        queues[750] = age(None, true);
        for oldest in &mut queues[600..700] {
            oldest.counted = Some(now - SECOND);
        }
        let expected: Vec<_> = [3].into_iter().chain(600..700).chain([750]).collect();
        assert_eq!(due(queues.into_iter(), now, SECOND), expected);
    }

    #[test]
    fn nothing_is_left_for_later_when_refreshes_are_rare() {
        let now = Instant::now();
        let queues = vec![age(Some(now), true); 1_000];
        assert_eq!(due(queues.into_iter(), now, WITHIN * 2).len(), 1_000);
    }

    proptest! {
        /// With queues added, events, and late refreshes: a queue with events is counted at once, and no count gets
        /// older than the limit plus the delay.
        #[test]
        fn every_queue_is_counted_in_time(
            queues in 1usize..400,
            every in 100u64..4_000,
            steps in prop::collection::vec((0u64..300, prop::collection::vec(0usize..400, 0..6)), 1..60),
        ) {
            let every = Duration::from_millis(every);
            let start = Instant::now();
            let mut now = start;
            let mut latest = Duration::ZERO;
            let mut counted: Vec<Option<Instant>> = vec![None; queues];
            for (late, eventful) in steps {
                let is_quiet = |at: usize| !eventful.contains(&at);
                let list = counted.iter().enumerate().map(|(at, counted)| age(*counted, is_quiet(at)));
                let due = due(list, now, every);
                prop_assert!(due.is_sorted_by(|a, b| a < b));
                for at in eventful.iter().filter(|at| **at < queues) {
                    prop_assert!(due.contains(at), "eventful and not counted");
                }
                due.into_iter().for_each(|at| counted[at] = Some(now));
                let late = Duration::from_millis(late);
                latest = latest.max(late);
                now += every + late;
                for counted in &counted {
                    let counted = counted.ok_or_else(|| TestCaseError::fail("never counted"))?;
                    let bound = WITHIN.max(every) + latest;
                    prop_assert!(now - counted <= bound, "{:?}", now - counted);
                }
            }
        }

        /// The number of quiet queues per refresh is bounded, except when a late refresh catches up.
        #[test]
        fn a_refresh_is_bounded(queues in 1usize..3_000, refreshes in 2usize..40) {
            let mut now = Instant::now();
            let mut counted = vec![None; queues];
            for nth in 0..refreshes {
                let list = counted.iter().map(|counted| age(*counted, true));
                let due = due(list, now, SECOND);
                let bound = SHARE.max(queues.div_ceil(8));
                prop_assert!(nth == 0 || due.len() <= bound, "{}", due.len());
                due.into_iter().for_each(|at| counted[at] = Some(now));
                now += SECOND;
            }
        }
    }
}
