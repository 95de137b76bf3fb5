#![allow(clippy::unwrap_used)]
use super::*;
use crate::events::names::UNKNOWN;
use proptest::prelude::*;

const NAMES: usize = 3;
const JOBS: usize = 8;

fn new_fold() -> Fold {
    Fold::new(NAMES, None, Room::new(JOBS))
}

fn entry<'a>(ms: u64, event: Event, job: &'a str, name: &'a str) -> Entry<'a> {
    Entry {
        id: StreamId { ms, seq: 0 },
        event,
        job: job.as_bytes(),
        name: name.as_bytes(),
        prev: b"",
        count: 0,
        reason: b"",
    }
}

/// Ends as (name, outcome, milliseconds).
fn fold(fold: &mut Fold, entries: &[Entry<'_>]) -> Vec<(String, Outcome, Option<u128>)> {
    let mut batch = Batch::default();
    for entry in entries {
        fold.apply(entry, &mut batch);
    }
    fold.flush(&mut batch);
    let ends = batch.ends.into_iter();
    ends.map(|end| {
        let name = match end.name {
            Name::Known(id) => fold.names().label(id).to_owned(),
            Name::Of(job) => format!("of {}", String::from_utf8_lossy(&job)),
            Name::Unknown => UNKNOWN.to_owned(),
        };
        (name, end.outcome, end.run.map(|run| run.as_millis()))
    })
    .collect()
}

/// The number of jobs with an incident, over all names.
fn jobs(batch: &Batch, incident: Incident) -> u64 {
    let tallies = batch.tallies.iter();
    let tallies = tallies.filter(|tally| tally.incident == incident);
    tallies.map(|tally| tally.jobs).sum()
}

/// Incidents, as (incident, name, jobs).
fn tallies(fold: &mut Fold, entries: &[Entry<'_>]) -> Vec<(Incident, String, u64)> {
    let mut batch = Batch::default();
    for entry in entries {
        fold.apply(entry, &mut batch);
    }
    let tallies = batch.tallies.into_iter();
    tallies
        .map(|tally| {
            let name = match tally.name {
                Name::Known(id) => fold.names().label(id).to_owned(),
                Name::Of(job) => format!("of {}", String::from_utf8_lossy(&job)),
                Name::Unknown => UNKNOWN.to_owned(),
            };
            (tally.incident, name, tally.jobs)
        })
        .collect()
}

fn tally(incident: Incident, name: &str, jobs: u64) -> (Incident, String, u64) {
    (incident, name.into(), jobs)
}

fn end(name: &str, outcome: Outcome, ms: u128) -> (String, Outcome, Option<u128>) {
    (name.into(), outcome, Some(ms))
}

#[test]
fn a_job_that_fails_twice_and_then_completes() {
    let ends = fold(
        &mut new_fold(),
        &[
            entry(10, Event::Added, "1", "mail"),
            entry(10, Event::Waiting, "1", ""),
            entry(20, Event::Active, "1", ""),
            entry(25, Event::Waiting, "1", ""),
            entry(30, Event::Active, "1", ""),
            entry(37, Event::Delayed, "1", ""),
            entry(90, Event::Waiting, "1", ""),
            entry(95, Event::Active, "1", ""),
            entry(195, Event::Completed, "1", ""),
        ],
    );
    let expected = [
        end("mail", Outcome::Retried, 5),
        end("mail", Outcome::Retried, 7),
        end("mail", Outcome::COMPLETED, 100),
    ];
    assert_eq!(ends, expected);
}

#[test]
fn a_stalled_attempt_is_not_measured() {
    let ends = fold(
        &mut new_fold(),
        &[
            entry(10, Event::Added, "1", "mail"),
            entry(20, Event::Active, "1", ""),
            entry(30_020, Event::Waiting, "1", ""),
            entry(30_020, Event::Stalled, "1", ""),
            entry(30_030, Event::Active, "1", ""),
            entry(30_031, Event::Completed, "1", ""),
        ],
    );
    assert_eq!(ends, [end("mail", Outcome::COMPLETED, 1)]);
}

#[test]
fn a_parent_that_never_ran_fails_without_a_duration() {
    let ends = fold(
        &mut new_fold(),
        &[
            entry(10, Event::Added, "1", "parent"),
            entry(10, Event::WaitingChildren, "1", ""),
            entry(20, Event::Failed, "1", ""),
        ],
    );
    assert_eq!(ends, [("parent".into(), Outcome::FAILED, None)]);
}

#[test]
fn a_job_added_before_the_start_is_looked_up() {
    let mut state = new_fold();
    let mut batch = Batch::default();
    state.apply(&entry(10, Event::Active, "7", ""), &mut batch);
    state.apply(&entry(12, Event::Active, "8", ""), &mut batch);
    state.apply(&entry(15, Event::Completed, "8", ""), &mut batch);
    let unnamed: Vec<_> = batch.unnamed.iter().map(|(job, _)| &**job).collect();
    assert_eq!(unnamed, [b"7", b"8"]);
    assert_eq!(batch.ends[0].name, Name::Of(Box::from(*b"8")));
    state.learn(b"7", Some(b"mail"));
    state.learn(b"8", None);
    let ends = fold(&mut state, &[entry(30, Event::Failed, "7", "")]);
    assert_eq!(ends, [end("mail", Outcome::FAILED, 20)]);
}

#[test]
fn after_a_gap_nothing_is_measured_that_began_before_it() {
    let mut state = new_fold();
    fold(
        &mut state,
        &[
            entry(1, Event::Added, "1", "mail"),
            entry(2, Event::Active, "1", ""),
        ],
    );
    state.gap();
    let ends = fold(&mut state, &[entry(900, Event::Completed, "1", "")]);
    assert_eq!(ends, [("mail".into(), Outcome::COMPLETED, None)]);
}

#[test]
fn every_failed_attempt_counts_once() {
    let mut state = new_fold();
    let mut batch = Batch::default();
    let failed_with_its_child = Entry {
        prev: b"waiting-children",
        ..entry(60, Event::Failed, "3", "")
    };
    let failed_before_us = Entry {
        prev: b"active",
        ..entry(61, Event::Failed, "4", "")
    };
    for entry in [
        entry(10, Event::Added, "1", "mail"),
        entry(20, Event::Active, "1", ""),
        entry(25, Event::Waiting, "1", ""),
        entry(30, Event::Active, "1", ""),
        entry(37, Event::Delayed, "1", ""),
        entry(40, Event::Active, "1", ""),
        entry(41, Event::Waiting, "1", ""),
        entry(41, Event::Stalled, "1", ""),
        entry(42, Event::Active, "1", ""),
        entry(43, Event::Failed, "1", ""),
        entry(50, Event::Added, "2", "mail"),
        entry(51, Event::Active, "2", ""),
        entry(52, Event::WaitingChildren, "2", ""),
        entry(53, Event::Waiting, "2", ""),
        entry(54, Event::Active, "2", ""),
        entry(55, Event::Completed, "2", ""),
        entry(59, Event::Added, "3", "parent"),
        failed_with_its_child,
        failed_before_us,
    ] {
        state.apply(&entry, &mut batch);
    }
    let failed = batch.ends.iter().filter(|end| end.attempt_failed);
    let failed: Vec<_> = failed.map(|end| (end.outcome, end.run)).collect();
    let ms = |ms| Some(Duration::from_millis(ms));
    let expected = [
        (Outcome::Retried, ms(5)),
        (Outcome::Retried, ms(7)),
        (Outcome::FAILED, ms(1)),
        (Outcome::FAILED, None),
    ];
    assert_eq!(failed, expected);
    assert_eq!((jobs(&batch, Incident::Stalled), batch.added.len()), (1, 3));
}

#[test]
fn the_start_of_waits_and_runs() {
    let mut state = new_fold();
    let times = |state: &Fold| (state.ready(b"1"), state.started(b"1"));
    for (step, expected) in [
        (entry(10, Event::Added, "1", "mail"), (None, None)),
        (entry(10, Event::Delayed, "1", ""), (None, None)),
        (entry(20, Event::Waiting, "1", ""), (Some(20), None)),
        (entry(30, Event::Active, "1", ""), (None, Some(30))),
        (entry(40, Event::Waiting, "1", ""), (Some(40), None)),
        (entry(50, Event::Active, "1", ""), (None, Some(50))),
        (entry(60, Event::Delayed, "1", ""), (None, None)),
        (entry(70, Event::Waiting, "1", ""), (Some(70), None)),
    ] {
        fold(&mut state, &[step]);
        assert_eq!(times(&state), expected);
    }
    // Added before the start.
    fold(&mut state, &[entry(80, Event::Waiting, "2", "")]);
    assert_eq!(state.ready(b"2"), Some(80));
    state.gap();
    assert_eq!((state.ready(b"1"), state.ready(b"2")), (None, None));
    let ends = fold(
        &mut state,
        &[
            entry(90, Event::Active, "1", ""),
            entry(95, Event::Completed, "1", ""),
        ],
    );
    assert_eq!(ends, [end("mail", Outcome::COMPLETED, 5)]);
}

#[test]
fn an_attempt_waits_from_its_last_readiness_to_its_start() {
    let mut state = new_fold();
    let mut batch = Batch::default();
    for entry in [
        entry(5, Event::Added, "1", "mail"),
        entry(6, Event::Delayed, "1", ""),
        entry(20, Event::Waiting, "1", ""),
        entry(30, Event::Active, "1", ""),
        entry(40, Event::Delayed, "1", ""),
        entry(50, Event::Waiting, "1", ""),
        entry(53, Event::Active, "1", ""),
        // The start of the wait was not seen.
        entry(60, Event::Added, "2", "mail"),
        entry(61, Event::Active, "2", ""),
        // Added before the start.
        entry(70, Event::Waiting, "3", ""),
        entry(72, Event::Active, "3", ""),
        entry(80, Event::Waiting, "1", ""),
    ] {
        state.apply(&entry, &mut batch);
    }
    state.gap();
    state.apply(&entry(90, Event::Active, "1", ""), &mut batch);
    let ms = Duration::from_millis;
    let waits: Vec<_> = batch.waits.iter().map(|(_, wait)| *wait).collect();
    assert_eq!(waits, [ms(10), ms(3)]);
    assert_eq!(batch.unnamed, [(Box::from(*b"3"), Some(ms(2)))]);
}

#[test]
fn stalled_jobs_are_counted_by_name() {
    let found = tallies(
        &mut new_fold(),
        &[
            entry(10, Event::Added, "1", "mail"),
            entry(20, Event::Active, "1", ""),
            entry(30_020, Event::Waiting, "1", ""),
            entry(30_020, Event::Stalled, "1", ""),
            // Added before the start: the job exists, and its name can be looked up.
            entry(30_020, Event::Waiting, "2", ""),
            entry(30_020, Event::Stalled, "2", ""),
        ],
    );
    let expected = [
        tally(Incident::Stalled, "mail", 1),
        tally(Incident::Stalled, "of 2", 1),
    ];
    assert_eq!(found, expected);
}

#[test]
fn removed_jobs_are_counted_by_name_as_far_as_it_is_known() {
    let cleaned = |count| Entry {
        count,
        ..entry(4, Event::Cleaned, "", "")
    };
    let mut state = new_fold();
    let found = tallies(
        &mut state,
        &[
            entry(1, Event::Added, "1", "mail"),
            entry(1, Event::Added, "2", "mail"),
            entry(2, Event::Removed, "1", ""),
            entry(2, Event::Removed, "2", ""),
            // Added before the start; its name can no longer be looked up.
            entry(3, Event::Removed, "3", ""),
            cleaned(40),
            cleaned(0),
        ],
    );
    let expected = [
        tally(Incident::Removed, "mail", 2),
        tally(Incident::Removed, "unknown", 41),
    ];
    assert_eq!(found, expected);
    assert_eq!(state.names().labels().len(), 1, "an unused name");
}

#[test]
fn deduplicated_jobs_are_counted_by_the_name_of_the_one_that_is_there() {
    let found = tallies(
        &mut new_fold(),
        &[
            entry(1, Event::Added, "1", "mail"),
            entry(2, Event::Deduplicated, "1", ""),
            entry(3, Event::Deduplicated, "1", ""),
            // Another job takes its place.
            entry(4, Event::Removed, "1", ""),
            entry(4, Event::Other, "2", ""),
            entry(4, Event::Deduplicated, "2", ""),
            entry(4, Event::Added, "2", "resize"),
            // Added before the start.
            entry(5, Event::Deduplicated, "3", ""),
            entry(5, Event::Deduplicated, "3", ""),
            entry(6, Event::Added, "4", "resize"),
        ],
    );
    let expected = [
        tally(Incident::Deduplicated, "mail", 2),
        tally(Incident::Removed, "mail", 1),
        tally(Incident::Deduplicated, "resize", 1),
        tally(Incident::Deduplicated, "of 3", 2),
    ];
    assert_eq!(found, expected);
}

#[test]
fn without_room_those_that_wait_longest_are_remembered_and_those_that_run() {
    let mut state = Fold::new(NAMES, None, Room::new(32));
    let ids: Vec<_> = (0..100).map(|id| id.to_string()).collect();
    for (at, id) in ids.iter().enumerate() {
        let ms = at as u64;
        fold(&mut state, &[entry(ms, Event::Added, id, "mail")]);
        fold(&mut state, &[entry(ms, Event::Waiting, id, "")]);
    }
    for (at, id) in ids.iter().enumerate() {
        let mut batch = Batch::default();
        state.apply(&entry(200, Event::Active, id, ""), &mut batch);
        match at {
            0..30 => assert_eq!(batch.waits.len(), 1),
            _ => {
                assert_eq!(batch.unnamed, [(id.as_bytes().into(), None)]);
                state.learn(id.as_bytes(), Some(b"mail"));
            }
        }
        let ends = fold(&mut state, &[entry(207, Event::Completed, id, "")]);
        assert_eq!(ends, [end("mail", Outcome::COMPLETED, 7)]);
    }
    assert_eq!(state.jobs.len(), 0);
}

#[test]
fn jobs_removed_without_an_event_are_forgotten_after_a_lower_count() {
    let mut state = new_fold();
    let added = |job| entry(1_000, Event::Added, job, "mail");
    let jobs = ["1", "2", "3", "4", "5"];
    fold(&mut state, &jobs.map(added));
    let latest = entry(70_000, Event::Added, "6", "mail");
    fold(&mut state, &[latest]);
    // The jobs may have been added after the count, or have ended before it without the event being read.
    state.reconcile(0, 1_000 + SETTLED);
    // Each remembered job may be one of the counted ones.
    state.reconcile(3, 100_000);
    assert_eq!(state.jobs.len(), 6);
    state.reconcile(2, 100_000);
    assert_eq!(state.jobs.len(), 1);
    state.reconcile(0, u64::MAX);
    assert_eq!(state.jobs.len(), 0);
}

const EVENTS: [Event; 12] = [
    Event::Added,
    Event::Waiting,
    Event::Active,
    Event::Delayed,
    Event::WaitingChildren,
    Event::Completed,
    Event::Failed,
    Event::Stalled,
    Event::Removed,
    Event::Cleaned,
    Event::Deduplicated,
    Event::Other,
];

proptest! {
    /// For any order, duplicates, gaps and decreasing times: each end is counted once, and memory is bounded.
    #[test]
    fn any_entries_are_taken(
        steps in prop::collection::vec((any::<u64>(), 0usize..12, 0u32..20, ".{0,3}", any::<bool>()), 0..400),
    ) {
        let mut state = new_fold();
        let mut batch = Batch::default();
        let (mut finals, mut starts, mut names) = (0, 0, 0);
        let mut happened = [0; 3];
        for (ms, event, job, name, gap) in &steps {
            let event = EVENTS[*event];
            let job = job.to_string();
            let count = (ms % 50) as u32;
            state.apply(&Entry { count, ..entry(*ms, event, &job, name) }, &mut batch);
            match event {
                Event::Stalled => happened[0] += 1,
                Event::Removed => happened[1] += 1,
                Event::Cleaned => happened[1] += u64::from(count),
                Event::Deduplicated => happened[2] += 1,
                _ => {}
            }
            finals += usize::from(matches!(event, Event::Completed | Event::Failed));
            starts += usize::from(event == Event::Active);
            if *gap && ms % 16 == 0 {
                state.gap();
            }
            if ms % 3 == 0 {
                state.learn(job.as_bytes(), Some(name.as_bytes()));
            }
            prop_assert!(state.jobs.len() <= JOBS);
            prop_assert!(state.names().labels().len() >= names, "a name went away");
            names = state.names().labels().len();
            prop_assert!(names <= NAMES + 2);
        }
        state.flush(&mut batch);
        let ended = batch.ends.iter().filter(|end| end.outcome != Outcome::Retried).count();
        prop_assert_eq!(ended, finals);
        let added = steps.iter().filter(|step| EVENTS[step.1] == Event::Added).count();
        prop_assert_eq!(batch.added.len(), added);
        let incidents = [Incident::Stalled, Incident::Removed, Incident::Deduplicated];
        prop_assert_eq!(incidents.map(|incident| jobs(&batch, incident)), happened);
        let measured = batch.ends.iter().filter(|end| end.run.is_some()).count();
        prop_assert!(measured <= starts, "more runs than starts");
        prop_assert!(batch.unnamed.len() + batch.waits.len() <= starts);
    }
}
