//! Recovers the outcomes in missed entries from the counters that BullMQ's workers can keep.
//!
//! A worker with `metrics` enabled increments `metrics:completed` or `metrics:failed` in the script that adds the
//! stream entry. If the counters matched the entries while none was missed, all workers have metrics enabled, and the
//! counters include the outcomes in missed entries.

use crate::protocol::outcome::{Ended, Final};

/// Compares the outcomes that were read with those that were counted, from one settled point to the next.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    /// Outcomes read since the last settled point.
    read: Ended,
    /// Entries missed since the last settled point.
    lost: u64,
    /// Counters at the last settled point; `None`: unknown.
    counted: Option<Ended>,
    /// Whether the counters matched the entries in the last interval without loss.
    complete: bool,
    /// Recovered outcomes that were not taken yet.
    missed: Ended,
    /// Whether the outcomes of some missed entries could not be recovered.
    incomplete: bool,
}

impl Repair {
    /// Records an outcome that was read.
    pub(crate) fn read(&mut self, outcome: Final) {
        self.read[outcome] = self.read[outcome].saturating_add(1);
    }

    /// Discards the last settled point, because the counters may have been recreated.
    pub(crate) fn reset(&mut self) {
        self.incomplete |= self.lost > 0;
        (self.read, self.lost, self.counted) = (Ended::default(), 0, None);
    }

    /// Settles a point up to which all entries were read or counted as missed. `counted`: the counters at that point,
    /// if known.
    pub(crate) fn settle(&mut self, lost: u64, counted: Option<Ended>) {
        self.lost = self.lost.saturating_add(lost);
        let Some(now) = counted else {
            return;
        };
        let (read, lost) = (
            std::mem::take(&mut self.read),
            std::mem::take(&mut self.lost),
        );
        let before = self.counted.replace(now);
        let grown = before.and_then(|before| {
            let [completed, failed] = Final::ALL.map(|end| now[end].checked_sub(before[end]));
            Some(Ended::new(completed?, failed?))
        });
        match grown {
            Some(grown) if lost == 0 => {
                if !read.is_zero() || !grown.is_zero() {
                    self.complete = grown == read;
                }
            }
            // Outcomes that were read are subtracted, so that none is counted twice.
            Some(grown) if self.complete => {
                for end in Final::ALL {
                    let missed = grown[end].saturating_sub(read[end]);
                    self.missed[end] = self.missed[end].saturating_add(missed);
                }
            }
            _ => self.incomplete |= lost > 0,
        }
    }

    /// Takes the outcomes recovered since the last call.
    pub(crate) fn take(&mut self) -> Ended {
        std::mem::take(&mut self.missed)
    }

    /// Whether all outcomes are counted, as far as known.
    pub(crate) fn is_exact(&self) -> bool {
        !self.incomplete && self.lost == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(repair: &mut Repair, [completed, failed]: [u64; 2]) {
        for (outcome, times) in [(Final::Completed, completed), (Final::Failed, failed)] {
            (0..times).for_each(|_| repair.read(outcome));
        }
    }

    fn settle(repair: &mut Repair, lost: u64, counted: Option<[u64; 2]>) {
        repair.settle(
            lost,
            counted.map(|[completed, failed]| Ended::new(completed, failed)),
        );
    }

    fn take(repair: &mut Repair) -> [u64; 2] {
        let taken = repair.take();
        Final::ALL.map(|end| taken[end])
    }

    #[test]
    fn missed_outcomes_are_recovered_if_all_workers_count() {
        let mut repair = Repair::default();
        settle(&mut repair, 0, Some([100, 7]));
        read(&mut repair, [10, 2]);
        settle(&mut repair, 0, Some([110, 9]));
        read(&mut repair, [5, 0]);
        settle(&mut repair, 40, Some([125, 10]));
        assert_eq!((take(&mut repair), repair.is_exact()), ([10, 1], true));
        assert_eq!(take(&mut repair), [0, 0]);
    }

    #[test]
    fn some_workers_do_not_count() {
        let mut repair = Repair::default();
        settle(&mut repair, 0, Some([0, 0]));
        read(&mut repair, [10, 2]);
        settle(&mut repair, 0, Some([5, 1]));
        settle(&mut repair, 40, Some([25, 1]));
        assert_eq!((take(&mut repair), repair.is_exact()), ([0, 0], false));
    }

    #[test]
    fn an_unknown_point_is_skipped() {
        let mut repair = Repair::default();
        settle(&mut repair, 0, Some([0, 0]));
        read(&mut repair, [1, 0]);
        settle(&mut repair, 0, Some([1, 0]));
        settle(&mut repair, 9, None);
        assert_eq!((take(&mut repair), repair.is_exact()), ([0, 0], false));
        read(&mut repair, [1, 0]);
        settle(&mut repair, 0, Some([4, 0]));
        assert_eq!((take(&mut repair), repair.is_exact()), ([2, 0], true));
    }

    #[test]
    fn restarted_counters_are_ignored() {
        let mut repair = Repair::default();
        settle(&mut repair, 0, Some([50, 5]));
        read(&mut repair, [1, 0]);
        settle(&mut repair, 0, Some([51, 5]));
        settle(&mut repair, 9, Some([3, 0]));
        assert_eq!((take(&mut repair), repair.is_exact()), ([0, 0], false));
        repair.reset();
        settle(&mut repair, 0, Some([1_000, 0]));
        assert_eq!(take(&mut repair), [0, 0]);
    }

    proptest! {
        /// If all workers count: the sum of read and recovered outcomes never exceeds, and finally equals, the actual
        /// number.
        #[test]
        fn read_plus_recovered_equals_ended(
            steps in prop::collection::vec((0u64..5, 0u64..5, 0u64..5, any::<bool>()), 0..40),
        ) {
            let mut repair = Repair::default();
            settle(&mut repair, 0, Some([0; 2]));
            read(&mut repair, [1, 1]);
            settle(&mut repair, 0, Some([1; 2]));
            let (mut ended, mut seen) = ([1; 2], [1; 2]);
            for (completed, failed, missed, known) in steps {
                read(&mut repair, [completed, failed]);
                ended = [ended[0] + completed + missed, ended[1] + failed];
                seen = [seen[0] + completed, seen[1] + failed];
                settle(&mut repair, 4 * missed, known.then_some(ended));
                let more = take(&mut repair);
                seen = [seen[0] + more[0], seen[1] + more[1]];
                prop_assert!(seen[0] <= ended[0] && seen[1] <= ended[1]);
            }
            settle(&mut repair, 0, Some(ended));
            let more = take(&mut repair);
            prop_assert_eq!([seen[0] + more[0], seen[1] + more[1]], ended);
            prop_assert!(repair.is_exact());
        }
    }
}
