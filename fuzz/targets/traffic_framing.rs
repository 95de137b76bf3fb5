//! However the bytes of a connection are divided, the events are the same; missing bytes give no wrong head.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_traffic::{Limits, Side};

#[path = "../../crates/vigie-traffic/tests/traffic/driver.rs"]
#[allow(dead_code)]
mod driver;
#[path = "../../crates/vigie-traffic/tests/traffic/generator.rs"]
mod generator;
#[path = "../../crates/vigie-traffic/tests/traffic/notes.rs"]
#[allow(dead_code)]
mod notes;

use driver::{Driver, Input};

const LIMITS: Limits = Limits {
    request_head: 300,
    response_head: 400,
    request_fields: 6,
    response_fields: 6,
    pipeline: 3,
};

fuzz_target!(|bytes: &[u8]| {
    let [choices, rest @ ..] = bytes else { return };
    let Some((lengths, rest)) = rest.split_at_checked(4) else {
        return;
    };
    let (requests, responses) = rest.split_at(rest.len() / 2);
    let made = |generated: u8, make: fn(&[u8]) -> Vec<u8>, bytes: &[u8]| match choices & generated {
        0 => bytes.to_vec(),
        _ => make(bytes),
    };
    let requests = match choices & 4 {
        0 => made(1, generator::pipeline, requests),
        _ => b"GET /0 HTTP/1.1\r\n\r\nHEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n".to_vec(),
    };
    let responses = made(2, generator::responses, responses);
    let inputs = [
        Input::Bytes(Side::Client, requests),
        Input::Bytes(Side::App, responses),
    ];
    let whole = Driver::run(LIMITS, &inputs);
    assert_eq!(Driver::run(LIMITS, &divided(&inputs, lengths)), whole);
    for (at, _) in inputs.iter().enumerate() {
        let events = Driver::run(LIMITS, &with_gap(&inputs, at, lengths));
        for head in events.iter().filter(|line| is_head(line)) {
            assert!(whole.contains(head), "{head} is not in {whole:?}");
        }
    }
});

fn is_head(line: &str) -> bool {
    line.starts_with("request ") || line.starts_with("response ")
}

fn divided(inputs: &[Input], lengths: &[u8]) -> Vec<Input> {
    let mut lengths = lengths.iter().cycle();
    let mut pieces = Vec::new();
    for input in inputs {
        let Input::Bytes(side, bytes) = input else {
            continue;
        };
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let length = lengths
                .next()
                .map_or(1, |&length| usize::from(length % 32) + 1);
            let (piece, left) = rest.split_at(length.min(rest.len()));
            pieces.push(Input::Bytes(*side, piece.to_vec()));
            rest = left;
        }
    }
    pieces
}

fn with_gap(inputs: &[Input], at: usize, place: &[u8]) -> Vec<Input> {
    let mut pieces = inputs.to_vec();
    if let Input::Bytes(side, bytes) = &inputs[at] {
        let begin = (usize::from(place[0]) * 4 + usize::from(place[1] % 4)).min(bytes.len());
        let end = (begin + usize::from(place[2])).min(bytes.len());
        let replaced = [
            Input::Bytes(*side, bytes[..begin].to_vec()),
            Input::Gap(*side, (end - begin) as u64),
            Input::Bytes(*side, bytes[end..].to_vec()),
        ];
        pieces.splice(at..=at, replaced);
    }
    pieces
}
