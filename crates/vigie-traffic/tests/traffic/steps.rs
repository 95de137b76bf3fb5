//! The guarantees of each step on which the gateway and the capture rely.

use std::time::Duration;

use vigie_traffic::{Body, Close, Connection, Event, Limits, Outcome, Side, Version};

const START: Duration = Duration::from_millis(10);
const LATER: Duration = Duration::from_millis(250);

#[test]
fn a_head_in_one_piece_is_not_copied() {
    let bytes = b"GET /a?b HTTP/1.1\r\nHost: shop.test\r\n\r\nrest".to_vec();
    let mut input = &bytes[..];
    let mut connection = Connection::new(Limits::default());
    let step = connection.read(Side::Client, START, &mut input);
    let Some(Event::Request(head)) = step.event else {
        panic!("{step:?}")
    };
    assert_eq!(head.raw().as_ptr(), bytes.as_ptr());
    assert_eq!(head.raw(), step.passed);
    assert_eq!((head.method(), head.target()), ("GET", "/a?b"));
    assert_eq!((head.version(), head.body()), (Version::Http11, Body::None));
    let fields: Vec<_> = head.fields().collect();
    assert_eq!(fields, [("Host", &b"shop.test"[..])]);
    assert_eq!(input, b"rest");
}

#[test]
fn nothing_of_an_incomplete_head_is_passed() {
    let mut connection = Connection::new(Limits::default());
    let (first, second) = (&b"GET / HTT"[..], &b"P/1.1\r\n\r\n"[..]);
    let mut input = first;
    let step = connection.read(Side::Client, START, &mut input);
    assert!(step.event.is_none() && step.passed.is_empty() && input.is_empty());
    assert_eq!(connection.held(Side::Client), first);
    let mut input = second;
    let step = connection.read(Side::Client, LATER, &mut input);
    assert_eq!(step.passed, [first, second].concat());
    assert_eq!(step.exchange.began, START);
    assert!(connection.held(Side::Client).is_empty());
}

#[test]
fn an_exchange_begins_with_its_request_line() {
    let mut connection = Connection::new(Limits::default());
    // The empty line that some clients send after a body.
    let mut input = &b"\r\n"[..];
    connection.read(Side::Client, START, &mut input);
    let mut input = &b"GET / HTTP/1.1\r\n\r\n"[..];
    let step = connection.read(Side::Client, LATER, &mut input);
    assert_eq!(step.exchange.began, LATER);
    assert_eq!(step.passed.len(), 20);
}

#[test]
fn what_was_read_before_a_refusal_can_be_passed_by_the_caller() {
    let mut connection = Connection::new(Limits::default());
    let mut request = &b"GET / HTTP/1.1\r\n\r\n"[..];
    connection.read(Side::Client, START, &mut request);
    let mut input = &b"HTTP/1.1 200 OK\r\nA: b\r"[..];
    connection.read(Side::App, START, &mut input);
    let mut input = &b"\nno field\r\nmore"[..];
    let step = connection.read(Side::App, START, &mut input);
    assert!(matches!(step.event, Some(Event::Refused(_))));
    let all = [connection.held(Side::App), input].concat();
    assert_eq!(all, b"HTTP/1.1 200 OK\r\nA: b\r\nno field\r\nmore");
    let step = connection.read(Side::App, START, &mut input);
    assert!(step.event.is_none() && step.passed.is_empty());
    let ended: Vec<_> = connection.close(Side::App, Close::Finished).collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].1, Outcome::Unknown);
}

#[test]
fn nothing_after_a_request_for_another_protocol_is_read_before_the_response() {
    let mut connection = Connection::new(Limits::default());
    let mut input =
        &b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"[..];
    while connection
        .read(Side::Client, START, &mut input)
        .event
        .is_some()
    {}
    assert!(connection.is_waiting());
    assert!(input.starts_with(b"GET /2"));
    assert_eq!(connection.pending(), 1);
}

#[test]
fn held_trailers_precede_the_bytes_of_another_protocol() {
    let mut connection = Connection::new(Limits::default());
    let request = b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b";
    let mut input = &request[..];
    let mut passed = Vec::new();
    loop {
        let step = connection.read(Side::Client, START, &mut input);
        passed.extend_from_slice(step.passed);
        if step.event.is_none() {
            break;
        }
    }
    assert!(passed.ends_with(b"0\r\n"));
    let mut response = &b"HTTP/1.1 101 Switching Protocols\r\n\r\n"[..];
    while connection
        .read(Side::App, START, &mut response)
        .event
        .is_some()
    {}
    let mut input = &b"\r\n"[..];
    for expected in [&b"A: b"[..], b"\r\n", b""] {
        let step = connection.read(Side::Client, START, &mut input);
        assert_eq!(step.passed, expected);
    }
    assert_eq!(connection.pending(), 0);
}

#[test]
fn an_unknown_connection_is_ignored_until_it_is_resumed() {
    let mut connection = Connection::unknown(Limits::default());
    for (side, bytes) in [
        (Side::Client, &b"half a request\r\n\r\n"[..]),
        (Side::App, b"half a response"),
    ] {
        let mut input = bytes;
        let step = connection.read(side, START, &mut input);
        assert!(step.event.is_none() && step.passed.is_empty() && input.is_empty());
    }
    assert_eq!(connection.resume().count(), 0);
    let mut input = &b"GET / HTTP/1.1\r\n\r\n"[..];
    let step = connection.read(Side::Client, LATER, &mut input);
    assert!(matches!(step.event, Some(Event::Request(_))));
}

#[test]
fn resuming_completes_only_a_single_exchange_whose_response_had_begun() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (requests, response, expected) in [
        (1, &chunked[..], vec![Outcome::Completed]),
        (1, b"HTTP/1.1 200", vec![Outcome::Unknown]),
        (2, chunked, vec![Outcome::Unknown; 2]),
    ] {
        let mut connection = Connection::new(Limits::default());
        let sent = b"GET / HTTP/1.1\r\n\r\n".repeat(requests);
        let mut input = &sent[..];
        while connection
            .read(Side::Client, START, &mut input)
            .event
            .is_some()
        {}
        let mut input = response;
        while connection
            .read(Side::App, START, &mut input)
            .event
            .is_some()
        {}
        let mut missing = 100;
        let step = connection.skip(Side::App, &mut missing);
        assert!(matches!(step.event, Some(Event::Lost)));
        let outcomes: Vec<_> = connection.resume().map(|(_, outcome)| outcome).collect();
        assert_eq!(outcomes, expected);
    }
}

#[test]
fn debug_output_shows_no_values() {
    let bytes = b"GET /?token=secret HTTP/1.1\r\nAuthorization: secret\r\n\r\n";
    let mut input = &bytes[..];
    let mut connection = Connection::new(Limits::default());
    let step = connection.read(Side::Client, START, &mut input);
    let Some(Event::Request(head)) = &step.event else {
        panic!("{step:?}")
    };
    let text = format!("{head:?} {:?}", head.fields());
    assert!(!text.contains("secret"), "{text}");
    assert!(text.contains("Authorization"), "{text}");
}
