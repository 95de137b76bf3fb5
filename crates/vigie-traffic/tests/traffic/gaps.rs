//! Missing bytes: no event is invented, and no head is wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use vigie_traffic::{Close, Connection, Event, Limits, Outcome, Side};

use crate::corpus::cases;
use crate::driver::{Driver, Input};

/// The lines about heads, which contain the number of the exchange.
fn heads(events: &[String]) -> BTreeSet<&str> {
    let lines = events.iter().map(String::as_str);
    lines
        .filter(|line| line.starts_with("request ") || line.starts_with("response "))
        .collect()
}

/// Checks the events of a connection with a gap against those without.
fn check(whole: &[String], with_gap: &[String]) -> Result<(), String> {
    let known = heads(whole);
    for head in heads(with_gap) {
        if !known.contains(head) {
            return Err(format!("a wrong head: {head}"));
        }
    }
    // Without `resume` nothing can be read anew, so only what was known before can complete.
    let completed = |events: &[String]| -> Vec<String> {
        let completed = events.iter().filter(|line| line.starts_with("completed"));
        completed.cloned().collect()
    };
    let all = completed(whole);
    match completed(with_gap).iter().all(|line| all.contains(line)) {
        true => Ok(()),
        false => Err("an exchange completed that did not".to_owned()),
    }
}

#[test]
fn a_response_that_is_known_not_to_have_ended_is_incomplete() {
    let reads = |connection: &mut Connection, from, mut input: &[u8]| {
        while connection
            .read(from, Duration::ZERO, &mut input)
            .event
            .is_some()
        {}
    };
    for (is_known, outcome) in [(true, Outcome::ClientLeft), (false, Outcome::Unknown)] {
        let mut connection = Connection::new(Limits::default());
        reads(&mut connection, Side::Client, b"GET / HTTP/1.1\r\n\r\n");
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab";
        reads(&mut connection, Side::App, head);
        let step = connection.skip(Side::App, &mut 1000);
        assert!(matches!(step.event, Some(Event::Lost)));
        if is_known {
            connection.set_within_response();
        }
        reads(&mut connection, Side::App, b"any bytes");
        let ended: Vec<Outcome> = connection
            .close(Side::Client, Close::Reset)
            .map(|(_, outcome)| outcome)
            .collect();
        assert_eq!(ended, [outcome]);
    }
}

/// Replaces `length` bytes at `place` of one input with a gap.
fn with_gap(inputs: &[Input], input: usize, place: usize, length: usize) -> Option<Vec<Input>> {
    let Input::Bytes(side, bytes) = &inputs[input] else {
        return None;
    };
    let end = (place + length).min(bytes.len());
    if place >= end {
        return None;
    }
    let mut replaced = inputs[..input].to_vec();
    replaced.push(Input::Bytes(*side, bytes[..place].to_vec()));
    replaced.push(Input::Gap(*side, (end - place) as u64));
    replaced.push(Input::Bytes(*side, bytes[end..].to_vec()));
    replaced.extend_from_slice(&inputs[input + 1..]);
    Some(replaced)
}

#[test]
fn a_gap_at_any_place_of_the_corpus_gives_no_wrong_head() {
    for case in cases() {
        let anew = |input: &Input| matches!(input, Input::Resume | Input::Gap(..));
        if case.inputs.iter().any(anew) {
            continue;
        }
        let whole: Vec<String> = case.events.iter().map(|&line| line.to_owned()).collect();
        for (at, input) in case.inputs.iter().enumerate() {
            let Input::Bytes(_, bytes) = input else {
                continue;
            };
            for length in [1, 60] {
                for place in (0..bytes.len()).step_by(1 + bytes.len() / 60) {
                    let Some(inputs) = with_gap(&case.inputs, at, place, length) else {
                        continue;
                    };
                    let events = Driver::run(Limits::default(), &inputs);
                    if let Err(fault) = check(&whole, &events) {
                        panic!("{}: {length} bytes at {place} of {at}: {fault}", case.name);
                    }
                }
            }
        }
    }
}

/// Requests with bodies of known length, and their responses, with bodies that resemble messages.
fn conversation(bodies: &[(u8, u8)]) -> Vec<Input> {
    let resembling =
        b"\r\n\r\nHTTP/1.1 500 Wrong\r\nContent-Length: 0\r\n\r\nGET /wrong HTTP/1.1\r\n\r\n";
    let filled = |length: u8| {
        let bytes = resembling.iter().cycle();
        bytes.take(length.into()).copied().collect::<Vec<u8>>()
    };
    let mut inputs = Vec::new();
    for (n, &(sent, received)) in bodies.iter().enumerate() {
        let head = format!("POST /{n} HTTP/1.1\r\nContent-Length: {sent}\r\n\r\n");
        let request = [head.into_bytes(), filled(sent)].concat();
        inputs.push(Input::Bytes(Side::Client, request));
        let head = format!("HTTP/1.1 2{n:02} OK\r\nContent-Length: {received}\r\n\r\n");
        let response = [head.into_bytes(), filled(received)].concat();
        inputs.push(Input::Bytes(Side::App, response));
    }
    inputs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn bodies_that_resemble_messages_give_no_wrong_head(
        bodies in proptest::collection::vec((any::<u8>(), any::<u8>()), 1..6),
        gaps in proptest::collection::vec((any::<usize>(), any::<usize>(), 1usize..120), 1..4),
    ) {
        let inputs = conversation(&bodies);
        let whole = Driver::run(Limits::default(), &inputs);
        let mut missing = inputs;
        for (input, place, length) in gaps {
            let input = input % missing.len();
            let Input::Bytes(_, bytes) = &missing[input] else { continue };
            if bytes.is_empty() {
                continue;
            }
            let place = place % bytes.len();
            if let Some(inputs) = with_gap(&missing, input, place, length) {
                missing = inputs;
            }
        }
        let events = Driver::run(Limits::default(), &missing);
        if let Err(fault) = check(&whole, &events) {
            prop_assert!(false, "{}", fault);
        }
    }

    #[test]
    fn a_gap_within_data_of_known_length_costs_nothing(
        sent in 1u8..200, received in 1u8..200, cut in any::<usize>(), length in any::<usize>(),
    ) {
        let inputs = conversation(&[(sent, received), (3, 4)]);
        let whole = Driver::run(Limits::default(), &inputs);
        let Input::Bytes(_, response) = &inputs[1] else { unreachable!() };
        let head = response.len() - usize::from(received);
        let place = head + cut % usize::from(received);
        let length = 1 + length % (response.len() - place);
        let missing = with_gap(&inputs, 1, place, length).unwrap();
        let events = Driver::run(Limits::default(), &missing);
        prop_assert_eq!(heads(&events), heads(&whole));
        let lost = |line: &String| line.starts_with("lost") || line.starts_with("outcome");
        prop_assert!(!events.iter().any(lost));
    }
}
