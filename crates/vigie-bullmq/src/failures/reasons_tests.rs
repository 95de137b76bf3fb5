#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn failure(job: &str, reason: &str, at: u64) -> Failure {
    Failure {
        job: job.as_bytes().into(),
        reason: reason.as_bytes().into(),
        at,
    }
}

/// Name, reason, frame, count, first and last time in milliseconds.
type Row = (String, String, Option<String>, u64, u64, u64);

fn rows(reasons: &Reasons) -> Vec<Row> {
    let ms = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        since.as_millis() as u64
    };
    let list = reasons.list().reasons.into_iter();
    list.map(|one| {
        (
            one.name,
            one.reason,
            one.frame,
            one.count,
            ms(one.first),
            ms(one.last),
        )
    })
    .collect()
}

fn row(name: &str, reason: &str, frame: Option<&str>, count: u64, times: [u64; 2]) -> Row {
    let frame = frame.map(str::to_owned);
    (name.into(), reason.into(), frame, count, times[0], times[1])
}

#[test]
fn failures_of_a_kind_are_counted_together_by_name() {
    let mut reasons = Reasons::new(true);
    reasons.record("mail", &failure("1", "no user 7", 10));
    reasons.record("mail", &failure("2", "no user 8", 20));
    reasons.record("push", &failure("3", "no user 8", 30));
    reasons.record("mail", &failure("4", "no user 8", 40));
    assert_eq!(
        rows(&reasons),
        [
            row("mail", "no user <number>", None, 3, [10, 40]),
            row("push", "no user <number>", None, 1, [30, 30]),
        ]
    );
    // Unredacted, the latest text is shown.
    let mut reasons = Reasons::new(false);
    reasons.record("mail", &failure("1", "no user 7", 10));
    reasons.record("mail", &failure("2", "no\nuser 8", 20));
    assert_eq!(
        rows(&reasons),
        [row("mail", "no user 8", None, 2, [10, 20])]
    );
}

#[test]
fn the_stack_of_a_reason_is_looked_up_until_it_is_found() {
    let mut reasons = Reasons::new(true);
    let trace = br#"["Error: x\n    at f (/app/a.js:1:2)"]"#;
    reasons.record("mail", &failure("1", "x", 1));
    // No second lookup starts while one is pending.
    reasons.record("mail", &failure("2", "x", 2));
    let first = reasons.take_wanted(9);
    assert_eq!(
        first.iter().map(|one| &*one.job).collect::<Vec<_>>(),
        [b"1"]
    );
    reasons.learn(&first[0], b"[]");
    reasons.record("mail", &failure("3", "x", 3));
    let second = reasons.take_wanted(9);
    assert_eq!(&*second[0].job, b"3");
    reasons.learn(&second[0], trace);
    reasons.record("mail", &failure("4", "x", 4));
    assert_eq!(reasons.take_wanted(9), []);
    let frame = Some("at f (/app/a.js:1:2)");
    assert_eq!(rows(&reasons), [row("mail", "x", frame, 4, [1, 4])]);

    // The traces of jobs that are deleted at once are not looked up forever.
    for job in 0..20 {
        reasons.record("push", &failure(&job.to_string(), "y", 5));
        let wanted = reasons.take_wanted(9).len();
        assert_eq!(wanted, usize::from(job < usize::from(LOOKUPS)));
    }
}

#[test]
fn the_latest_are_kept() {
    let mut reasons = Reasons::new(true);
    let word = |n: usize| ["a", "b", "c", "d"][n / 4].to_owned() + ["e", "f", "g", "h"][n % 4];
    reasons.record("other", &failure("0", "first", 0));
    for n in 0..12 {
        reasons.record("mail", &failure("1", &word(n), n as u64));
        reasons.record("mail", &failure("1", "again and again", 50));
    }
    let texts: Vec<_> = rows(&reasons).into_iter().map(|row| row.1).collect();
    let expected: Vec<_> = (12 - (PER_NAME - 1)..12).rev().map(word).collect();
    assert_eq!(texts[0], "again and again");
    assert_eq!(texts[1..PER_NAME], expected);
    assert_eq!(texts[PER_NAME..], ["first"], "of another name");
    assert_eq!(reasons.list().forgotten, 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any bytes are taken, no failure is lost from the counts, and the memory is bounded.
    #[test]
    fn memory_is_bounded_and_counts_add_up(
        failures in prop::collection::vec((0usize..40, prop::collection::vec(any::<u8>(), 0..1_200), any::<u64>()), 1..80),
        redacts: bool,
    ) {
        let mut reasons = Reasons::new(redacts);
        for (name, reason, at) in &failures {
            let name = "n".repeat(*name);
            let (reason, job) = (&reason[..reason.len().min(READ + 1)], name.as_bytes());
            reasons.record(&name, &Failure { job: job.into(), reason: reason.into(), at: *at });
            for wanted in reasons.take_wanted(1) {
                reasons.learn(&wanted, format!("[\"at {}\"]", "x".repeat(700)).as_bytes());
            }
            prop_assert!(reasons.bytes() <= BYTES && reasons.wanted.len() <= PENDING);
        }
        let list = reasons.list();
        let counted: u64 = list.reasons.iter().map(|one| one.count).sum();
        prop_assert_eq!(counted + list.forgotten, failures.len() as u64);
        prop_assert!(list.reasons.iter().all(|one| one.reason.len() <= LONGEST));
        let (_, _, at) = failures.last().unwrap();
        prop_assert!(list.reasons[0].first <= list.reasons[0].last, "{at}");
    }
}
