//! Groups of checks with a changing list of parts, run by another part of the program.

use crate::clock::Moment;
use crate::failure::{Failure, FailureKind};
use crate::state::{Status, Verdict};

/// A group of checks that another part of the program runs: for example one for each queue.
///
/// In `/readyz` the group is one check, which fails if one of its parts fails.
pub trait CheckSource: Send + Sync + 'static {
    /// The group's name; a part is named `group/part`.
    fn name(&self) -> &str;

    /// The current verdicts, by name of the part. Called for every request, so it must answer from memory.
    ///
    /// A source whose parts are not known yet returns one pending part.
    fn verdicts(&self, now: Moment) -> Vec<(String, Verdict)>;
}

/// The verdict of a group: the worst of its parts, since the first of those became so.
pub(crate) fn summary(parts: &[(String, Verdict)], started: Moment) -> Verdict {
    let of = |status| {
        parts
            .iter()
            .map(|(_, part)| part)
            .filter(move |part| part.status == status)
    };
    let earliest = |status| {
        of(status)
            .map(|part| part.since)
            .min_by_key(|since| since.elapsed)
    };
    let failed = of(Status::Failed).count();
    let (status, since) = if failed > 0 {
        (Status::Failed, earliest(Status::Failed))
    } else if of(Status::Pending).next().is_some() {
        (Status::Pending, earliest(Status::Pending))
    } else {
        // The group is ok since the last part recovered.
        let since = of(Status::Ok).map(|part| part.since);
        (Status::Ok, since.max_by_key(|since| since.elapsed))
    };
    let first = parts
        .iter()
        .find_map(|(name, part)| part.failure.as_ref().map(|why| (name, why)));
    Verdict {
        status,
        since: since.unwrap_or(started),
        duration: parts.iter().filter_map(|(_, part)| part.duration).max(),
        // The last success of a group is that of its least recent part.
        last_success: parts
            .iter()
            .map(|(_, part)| part.last_success)
            .min_by_key(|passed| passed.map(|passed| passed.elapsed))
            .flatten(),
        failure: first.map(|(name, why)| {
            let text = format_args!("{failed} of {} failed: {name}: {why}", parts.len());
            let kind = if failed == 1 {
                why.kind()
            } else {
                FailureKind::Other
            };
            Failure::new(kind, text)
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::at;
    use crate::state::State;
    use std::time::Duration;

    fn part(name: &str, runs: &[(u64, bool)]) -> (String, Verdict) {
        let mut state = State::new(at(0), Duration::from_secs(9));
        for &(time, passed) in runs {
            let failure = Failure::new(FailureKind::TimedOut, "no answer");
            let outcome = if passed { Ok(()) } else { Err(failure) };
            state.record(at(time), Duration::from_millis(time), outcome);
        }
        (name.into(), state.verdict(at(1_000)))
    }

    #[test]
    fn a_group_is_as_its_worst_part() {
        let none = summary(&[], at(7));
        assert_eq!((none.status, none.since), (Status::Ok, at(7)));

        let mut parts = vec![
            part("mail", &[(10, true), (30, true)]),
            part("video", &[(20, true)]),
        ];
        let well = summary(&parts, at(0));
        assert_eq!((well.status, well.since), (Status::Ok, at(20)));
        assert_eq!(well.last_success, Some(at(20)));
        assert_eq!(well.duration, Some(Duration::from_millis(30)));

        parts.push(part("new", &[]));
        assert_eq!(summary(&parts, at(0)).status, Status::Pending);
        assert_eq!(summary(&parts, at(0)).last_success, None);

        parts.push(part("late", &[(40, true), (50, false)]));
        parts.push(part("dead", &[(45, false)]));
        let failed = summary(&parts, at(0));
        assert_eq!((failed.status, failed.since), (Status::Failed, at(45)));
        assert_eq!(
            failed.failure.unwrap().text(),
            "2 of 5 failed: late: no answer"
        );
    }
}
