//! The bounds of heads, trailers and pipelines.

use std::time::Duration;

use vigie_traffic::{Connection, Fault, Limits, Side};

use crate::driver::{Driver, Input};

fn client(bytes: impl Into<Vec<u8>>) -> Input {
    Input::Bytes(Side::Client, bytes.into())
}

fn app(bytes: impl Into<Vec<u8>>) -> Input {
    Input::Bytes(Side::App, bytes.into())
}

fn refused(events: &[String], side: &str, fault: Fault) -> bool {
    events.last() == Some(&format!("refused {side} {fault:?}"))
}

const LIMITS: Limits = Limits {
    request_head: 40,
    response_head: 60,
    request_fields: 3,
    response_fields: 3,
    pipeline: 2,
};

#[test]
fn a_head_may_reach_its_limit_and_not_exceed_it() {
    for (length, fits) in [(40, true), (41, false)] {
        let head = "GET / HTTP/1.1\r\nA: \r\n\r\n";
        let padding = "a".repeat(length - head.len());
        let head = format!("GET / HTTP/1.1\r\nA: {padding}\r\n\r\n");
        let events = Driver::run(LIMITS, &[client(head)]);
        assert_eq!(events.len() == 2, fits, "{events:?}");
        assert_eq!(refused(&events, "client", Fault::TooLarge), !fits);
    }
    for (length, fits) in [(60, true), (61, false)] {
        let head = "HTTP/1.1 204 X\r\nA: \r\n\r\n";
        let padding = "a".repeat(length - head.len());
        let head = format!("HTTP/1.1 204 X\r\nA: {padding}\r\n\r\n");
        let events = Driver::run(LIMITS, &[client("GET / HTTP/1.1\r\n\r\n"), app(head)]);
        assert_eq!(refused(&events, "app", Fault::TooLarge), !fits);
    }
}

#[test]
fn a_line_without_an_end_is_refused_at_the_limit() {
    for input in [
        "a".repeat(41),
        format!("GET /{}", "a".repeat(36)),
        "\r\n".repeat(21),
    ] {
        let events = Driver::run(LIMITS, &[client(input)]);
        assert!(refused(&events, "client", Fault::TooLarge), "{events:?}");
    }
    let events = Driver::run(LIMITS, &[client("a".repeat(40))]);
    assert!(events.is_empty());
}

/// The fold precedes the limit, the end of its line follows it.
#[test]
fn the_fault_at_the_limit_does_not_depend_on_the_division() {
    let head = "GET / HTTP/1.1\r\nHost: shop.test\r\n X: too long\r\n\r\n";
    for length in [1, 30, head.len()] {
        let pieces: Vec<_> = head.as_bytes().chunks(length).map(client).collect();
        let events = Driver::run(LIMITS, &pieces);
        assert!(
            refused(&events, "client", Fault::Fold),
            "{length}: {events:?}"
        );
    }
}

#[test]
fn empty_lines_count_toward_the_head() {
    let head = format!("{}GET / HTTP/1.1\r\n\r\n", "\r\n".repeat(12));
    let events = Driver::run(LIMITS, &[client(head)]);
    assert!(refused(&events, "client", Fault::TooLarge), "{events:?}");
}

#[test]
fn fields_are_counted() {
    for (fields, fits) in [(3, true), (4, false)] {
        let head = format!("GET / HTTP/1.1\r\n{}\r\n", "A:\r\n".repeat(fields));
        let events = Driver::run(LIMITS, &[client(head)]);
        assert_eq!(refused(&events, "client", Fault::TooManyFields), !fits);
        let response = format!("HTTP/1.1 204 X\r\n{}\r\n", "A:\r\n".repeat(fields));
        let events = Driver::run(LIMITS, &[client("GET / HTTP/1.1\r\n\r\n"), app(response)]);
        assert_eq!(refused(&events, "app", Fault::TooManyFields), !fits);
    }
}

#[test]
fn trailers_have_the_limits_of_heads() {
    let limits = Limits {
        request_head: 60,
        ..LIMITS
    };
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let large = format!("{head}A: {}", "a".repeat(58));
    let events = Driver::run(limits, &[client(large)]);
    assert!(refused(&events, "client", Fault::TooLarge), "{events:?}");
    let many = format!("{head}{}", "A:\r\n".repeat(4));
    let events = Driver::run(limits, &[client(many)]);
    assert!(
        refused(&events, "client", Fault::TooManyFields),
        "{events:?}"
    );
}

#[test]
fn large_heads_are_read_by_default() {
    let fields: String = (0..400)
        .map(|n| format!("Set-Cookie: c{n}={}\r\n", "v".repeat(400)))
        .collect();
    let response = format!("HTTP/1.1 204 X\r\n{fields}\r\n");
    assert!(response.len() > 160_000);
    let pieces = response.as_bytes().chunks(1_460).map(app);
    let inputs: Vec<_> = [client("GET / HTTP/1.1\r\n\r\n")]
        .into_iter()
        .chain(pieces)
        .collect();
    let events = Driver::run(Limits::default(), &inputs);
    assert_eq!(events.last().unwrap(), "completed 0");
}

#[test]
fn further_requests_are_not_read_until_a_response_is_complete() {
    let mut driver = Driver::new(LIMITS);
    let request = "GET / HTTP/1.1\r\n\r\n";
    driver.input(&client(request.repeat(4)));
    assert_eq!(driver.passed(Side::Client).len(), request.len() * 2);
    driver.input(&app("HTTP/1.1 100 Continue\r\n\r\n"));
    driver.input(&app("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"));
    assert_eq!(driver.passed(Side::Client).len(), request.len() * 2);
    driver.input(&app("x"));
    assert_eq!(driver.passed(Side::Client).len(), request.len() * 3);
    driver.input(&app("HTTP/1.1 204 No Content\r\n\r\n".repeat(3)));
    assert_eq!(driver.passed(Side::Client).len(), request.len() * 4);
    let completed = driver.finish();
    let completed = completed
        .iter()
        .filter(|line| line.starts_with("completed"));
    assert_eq!(completed.count(), 4);
}

#[test]
fn a_request_in_a_full_pipeline_is_still_read_to_its_end() {
    let limits = Limits {
        pipeline: 1,
        ..LIMITS
    };
    let mut connection = Connection::new(limits);
    let mut input = &b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\n"[..];
    let read = |connection: &mut Connection, input: &mut &[u8]| {
        let mut read = || {
            connection
                .read(Side::Client, Duration::ZERO, input)
                .event
                .is_some()
        };
        while read() {}
    };
    read(&mut connection, &mut input);
    assert!(!connection.is_waiting());
    let mut input = &b"abcGET / HTTP/1.1\r\n\r\n"[..];
    read(&mut connection, &mut input);
    assert!(connection.is_waiting());
    assert!(input.starts_with(b"GET"));
}
