//! However the bytes are divided, the events are the same.

use proptest::prelude::*;
use vigie_traffic::{Limits, Side};

use crate::corpus::cases;
use crate::driver::{Driver, Input};
use crate::generator;

/// The inputs with their bytes divided into pieces of the given lengths, in turn.
fn divided(inputs: &[Input], lengths: &[usize]) -> Vec<Input> {
    let mut lengths = lengths.iter().cycle();
    let mut pieces = Vec::new();
    for input in inputs {
        let Input::Bytes(side, bytes) = input else {
            pieces.push(input.clone());
            continue;
        };
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let length = lengths.next().map_or(1, |length| *length).min(rest.len());
            let (piece, left) = rest.split_at(length);
            pieces.push(Input::Bytes(*side, piece.to_vec()));
            rest = left;
        }
    }
    pieces
}

#[test]
fn byte_by_byte_the_corpus_has_the_same_events() {
    for case in cases() {
        let events = Driver::run(Limits::default(), &divided(&case.inputs, &[1]));
        assert_eq!(events, case.events, "{}", case.name);
    }
}

#[test]
fn cut_at_any_one_place_the_corpus_has_the_same_events() {
    for case in cases() {
        for (at, input) in case.inputs.iter().enumerate() {
            let Input::Bytes(side, bytes) = input else {
                continue;
            };
            // All places of short inputs, some of long ones.
            for cut in (1..bytes.len()).step_by(1 + bytes.len() / 300) {
                let mut inputs = case.inputs.clone();
                let (left, right) = bytes.split_at(cut);
                inputs[at] = Input::Bytes(*side, left.to_vec());
                inputs.insert(at + 1, Input::Bytes(*side, right.to_vec()));
                let events = Driver::run(Limits::default(), &inputs);
                assert_eq!(events, case.events, "{}, cut {at} at {cut}", case.name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_division_of_hostile_requests_has_the_same_events(
        seed in proptest::collection::vec(any::<u8>(), 0..200),
        lengths in proptest::collection::vec(1usize..40, 1..8),
        limit in 20usize..400,
    ) {
        let limits = Limits { request_head: limit, request_fields: 6, ..Limits::default() };
        let inputs = [Input::Bytes(Side::Client, generator::pipeline(&seed))];
        let whole = Driver::run(limits, &inputs);
        prop_assert_eq!(Driver::run(limits, &divided(&inputs, &lengths)), whole);
    }

    #[test]
    fn any_division_of_hostile_responses_has_the_same_events(
        seed in proptest::collection::vec(any::<u8>(), 0..200),
        lengths in proptest::collection::vec(1usize..40, 1..8),
    ) {
        let requests = b"GET /0 HTTP/1.1\r\n\r\nHEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
        let inputs = [
            Input::Bytes(Side::Client, requests.to_vec()),
            Input::Bytes(Side::App, generator::responses(&seed)),
        ];
        let whole = Driver::run(Limits::default(), &inputs);
        prop_assert_eq!(Driver::run(Limits::default(), &divided(&inputs, &lengths)), whole);
    }
}
