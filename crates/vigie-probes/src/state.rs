//! The state of one check: pure logic driven by times and outcomes.

use std::time::Duration;

use crate::check::Outcome;
use crate::clock::Moment;
use crate::failure::{Failure, FailureKind};

/// The state of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has not been run yet.
    Pending,
    /// It passed.
    Ok,
    /// It failed, or there has been no result for too long.
    Failed,
}

impl Status {
    /// Its name in responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }
}

/// The state of a check, since when, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Passed, failed, or not known yet.
    pub status: Status,
    /// The time of the last change of status.
    pub since: Moment,
    /// The duration of the last run.
    pub duration: Option<Duration>,
    /// The time of the last successful run.
    pub last_success: Option<Moment>,
    /// The reason for a failure; set if and only if the status is [`Status::Failed`].
    pub failure: Option<Failure>,
}

/// The state of a check over time.
#[derive(Clone, Debug)]
pub struct State {
    stale_after: Duration,
    /// The time of the last result.
    last_result: Moment,
    verdict: Verdict,
}

impl State {
    /// The state of a check that has not run. Without a result for longer than `stale_after` it counts as failed.
    #[must_use]
    pub fn new(now: Moment, stale_after: Duration) -> Self {
        Self {
            stale_after,
            last_result: now,
            verdict: Verdict {
                status: Status::Pending,
                since: now,
                duration: None,
                last_success: None,
                failure: None,
            },
        }
    }

    /// Records a run that ended now, and its duration if it was measured.
    pub fn record(&mut self, now: Moment, duration: impl Into<Option<Duration>>, outcome: Outcome) {
        // A stale verdict counts as failed from the time it became stale.
        let before = self.verdict(now);
        let status = match outcome {
            Ok(()) => Status::Ok,
            Err(_) => Status::Failed,
        };
        let changed = before.status != status;
        self.last_result = now;
        self.verdict = Verdict {
            status,
            since: if changed { now } else { before.since },
            duration: duration.into(),
            last_success: outcome.is_ok().then_some(now).or(before.last_success),
            failure: outcome.err(),
        };
    }

    /// The verdict at this time.
    #[must_use]
    pub fn verdict(&self, now: Moment) -> Verdict {
        if now.since(self.last_result) <= self.stale_after {
            return self.verdict.clone();
        }
        let text = format_args!("stale: no result since {}", self.last_result);
        let since = match self.verdict.status {
            Status::Failed => self.verdict.since,
            Status::Pending | Status::Ok => self.last_result.after(self.stale_after),
        };
        Verdict {
            status: Status::Failed,
            since,
            failure: Some(Failure::new(FailureKind::Stale, text)),
            ..self.verdict.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::at;
    use proptest::prelude::*;

    const STALE: Duration = Duration::from_millis(100);
    const TOOK: Duration = Duration::from_millis(3);

    fn refused() -> Outcome {
        Err(Failure::new(
            FailureKind::Unreachable,
            "db: connection refused",
        ))
    }

    #[test]
    fn is_pending_until_the_first_result() {
        let mut state = State::new(at(10), STALE);
        let verdict = state.verdict(at(110));
        assert_eq!((verdict.status, verdict.since), (Status::Pending, at(10)));
        assert_eq!((verdict.duration, verdict.last_success), (None, None));
        state.record(at(50), TOOK, Ok(()));
        let verdict = state.verdict(at(60));
        assert_eq!((verdict.status, verdict.since), (Status::Ok, at(50)));
        assert_eq!(
            (verdict.duration, verdict.last_success),
            (Some(TOOK), Some(at(50)))
        );
    }

    #[test]
    fn since_is_the_first_of_its_kind_and_last_success_the_latest() {
        let mut state = State::new(at(0), STALE);
        for (time, outcome) in [(10, Ok(())), (20, Ok(())), (30, refused()), (40, refused())] {
            state.record(at(time), TOOK, outcome);
        }
        let verdict = state.verdict(at(45));
        assert_eq!((verdict.status, verdict.since), (Status::Failed, at(30)));
        assert_eq!(verdict.last_success, Some(at(20)));
        assert_eq!(verdict.failure.unwrap().text(), "db: connection refused");
        state.record(at(50), TOOK, Ok(()));
        let verdict = state.verdict(at(50));
        assert_eq!((verdict.status, verdict.since), (Status::Ok, at(50)));
        assert_eq!(verdict.failure, None);
    }

    #[test]
    fn an_old_verdict_counts_as_failed() {
        let mut state = State::new(at(0), STALE);
        state.record(at(10), TOOK, Ok(()));
        assert_eq!(state.verdict(at(110)).status, Status::Ok);
        let verdict = state.verdict(at(111));
        assert_eq!((verdict.status, verdict.since), (Status::Failed, at(110)));
        let failure = verdict.failure.unwrap();
        assert_eq!(failure.kind(), FailureKind::Stale);
        assert_eq!(
            failure.text(),
            "stale: no result since 2026-01-01T12:00:00.010Z"
        );
        // A real failure continues the stale one; a success ends it.
        state.record(at(500), TOOK, refused());
        assert_eq!(state.verdict(at(500)).since, at(110));
        assert_eq!(
            state.verdict(at(900)).since,
            at(110),
            "a failure that went stale"
        );
        state.record(at(901), TOOK, Ok(()));
        assert_eq!(state.verdict(at(901)).since, at(901));
    }

    #[test]
    fn a_check_that_never_ends_does_not_stay_pending() {
        let state = State::new(at(0), STALE);
        let verdict = state.verdict(at(101));
        assert_eq!((verdict.status, verdict.since), (Status::Failed, at(100)));
    }

    proptest! {
        #[test]
        fn any_history_keeps_the_promises(runs in prop::collection::vec((0_u64..300, any::<bool>()), 0..40)) {
            let mut state = State::new(at(0), STALE);
            let (mut now, mut last_result, mut last) = (0, 0, None);
            let mut before = state.verdict(at(0));
            for (pause, passed) in runs {
                for step in 0..=pause {
                    let verdict = state.verdict(at(now + step));
                    let fresh = now + step - last_result <= 100;
                    let expected = match last {
                        _ if !fresh => Status::Failed,
                        None => Status::Pending,
                        Some(true) => Status::Ok,
                        Some(false) => Status::Failed,
                    };
                    prop_assert_eq!(verdict.status, expected);
                    prop_assert_eq!(verdict.failure.is_some(), expected == Status::Failed);
                    prop_assert!(verdict.since.elapsed <= at(now + step).elapsed);
                    // It changes if and only if the status does.
                    prop_assert_eq!(verdict.since == before.since, verdict.status == before.status);
                    before = verdict;
                }
                now += pause;
                state.record(at(now), TOOK, if passed { Ok(()) } else { refused() });
                let verdict = state.verdict(at(now));
                if verdict.status == before.status {
                    prop_assert_eq!(verdict.since, before.since);
                } else {
                    prop_assert_eq!(verdict.since, at(now));
                }
                (before, last_result, last) = (verdict, now, Some(passed));
            }
        }
    }
}
