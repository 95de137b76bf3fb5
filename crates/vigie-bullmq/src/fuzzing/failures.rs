//! Reasons and stack traces of any form.

use crate::failures::reasons::{BYTES, Failure, Reasons};
use crate::fuzzing::input::Input;
use crate::protocol::entry::{Entry, Event, StreamId};

/// Words after which a number is kept.
const BEFORE_NUMBERS: [&str; 5] = ["status", "code", "http", "line", "column"];

/// Records the failures that arbitrary bytes describe.
///
/// # Panics
///
/// If an invariant is violated.
pub fn any_failures(bytes: &[u8]) {
    let mut input = Input(bytes);
    let redacts = input.byte().is_multiple_of(2);
    let mut reasons = Reasons::new(redacts);
    let mut recorded = 0;
    while !input.0.is_empty() {
        let name = ["mail", "resize", "other"][usize::from(input.byte() % 3)];
        let length = usize::from(input.byte()) * usize::from(input.byte());
        let (reason, rest) = input.0.split_at(length.min(input.0.len()));
        input.0 = rest;
        let entry = Entry {
            id: StreamId {
                ms: input.number(),
                seq: 0,
            },
            event: Event::Failed,
            job: input.text(),
            name: b"",
            prev: b"",
            count: 0,
            reason,
        };
        reasons.record(name, &Failure::of(&entry));
        recorded += 1;
        for wanted in reasons.take_wanted(usize::from(input.byte() % 4)) {
            let trace = format!("Error\n at {}", String::from_utf8_lossy(reason));
            let traces = serde_json::to_vec(&[trace]).unwrap_or_default();
            let traces = if input.byte() == 0 { reason } else { &traces };
            reasons.learn(&wanted, traces);
        }
        assert!(reasons.bytes() <= BYTES, "{} bytes", reasons.bytes());
    }
    let list = reasons.list();
    let counted: u64 = list.reasons.iter().map(|reason| reason.count).sum();
    assert_eq!(
        counted + list.forgotten,
        recorded,
        "a failure is not counted"
    );
    for one in &list.reasons {
        assert!(one.first <= one.last);
        for text in [Some(&one.reason), one.frame.as_ref()]
            .into_iter()
            .flatten()
        {
            assert!(!text.contains(char::is_control), "{text:?}");
        }
        let lower = one.reason.to_lowercase();
        let may_have_numbers = BEFORE_NUMBERS.iter().any(|word| lower.contains(word));
        assert!(
            !redacts || may_have_numbers || !one.reason.contains(char::is_numeric),
            "{:?}",
            one.reason
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_failures_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            any_failures(&bytes);
        }
    }
}
