//! What a hostile client costs is bounded.

use std::time::Duration;

use crate::common::{App, Fixture, Peer, SOON};
use vigie_testkit::{Fault, FaultServer, eventually, faults, http};

const SHORT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_head_must_come_in_time() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |settings| settings.header_timeout = SHORT);
    let mut slow = Peer::connect(fixture.addr()).await;
    slow.send("GET / HTTP/1.1\r\nHost: g\r\nX-Slow: ").await;
    assert!(slow.head().await.starts_with("HTTP/1.1 408"));
    slow.closed().await;
    assert_eq!(fixture.failed("head_timeout"), 1.0);
    // Also after a first request that was well behaved.
    let mut second = Peer::connect(fixture.addr()).await;
    second.send("GET /1 HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    second.head().await;
    second.silent(2 * SHORT).await;
    second.send("GET /2 HTTP/1.1\r\nHost").await;
    second.closed().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_the_end_and_a_busy_one_is_not() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |settings| {
        settings.header_timeout = SHORT;
        settings.keep_alive = 2 * SHORT;
    });
    let mut silent = Peer::connect(fixture.addr()).await;
    silent.closed().await;
    let mut client = Peer::connect(fixture.addr()).await;
    client.send("GET /slow HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    client.silent(4 * SHORT).await;
    upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    client.head().await;
    client.closed().await;
}

#[tokio::test]
async fn heads_are_bounded_in_size_and_number() {
    let answer = faults::http_answer(200, "ok");
    let app = FaultServer::start(Fault::Answer(answer)).await.unwrap();
    let fixture = Fixture::start(app.addr(), |settings| {
        settings.max_headers = 20;
        settings.max_header_bytes = 8 * 1024;
    });
    let status = async |headers: String| {
        let mut connection = http::Connection::open(fixture.addr()).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nHost: g\r\n{headers}\r\n");
        connection.send(head.as_bytes()).await.unwrap();
        connection.response().await.unwrap().status
    };
    assert_eq!(status("X-A: 1\r\n".repeat(19)).await, 200);
    assert_eq!(status("X-A: 1\r\n".repeat(21)).await, 431);
    assert_eq!(status(format!("X-A: {}\r\n", "a".repeat(4_000))).await, 200);
    assert_eq!(status(format!("X-A: {}\r\n", "a".repeat(9_000))).await, 431);
}

#[tokio::test]
async fn a_body_that_never_comes_ends_its_request() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |settings| settings.response_timeout = SHORT);
    let mut client = Peer::connect(fixture.addr()).await;
    client
        .send("POST /up HTTP/1.1\r\nHost: g\r\nContent-Length: 10\r\n\r\nabc")
        .await;
    let mut upstream = app.accept().await;
    upstream.until("\r\n\r\nabc").await;
    assert!(client.head().await.starts_with("HTTP/1.1 408"));
    upstream.closed().await;
    assert_eq!(fixture.failed("request_stalled"), 1.0);
}

#[tokio::test]
async fn a_response_that_stands_still_is_ended() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |settings| settings.body_timeout = SHORT);
    let mut client = Peer::connect(fixture.addr()).await;
    client.send("GET /x HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream
        .send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        .await;
    client.until("abc").await;
    client.closed().await;
    upstream.closed().await;
    assert_eq!(fixture.failed("response_stalled"), 1.0);
    assert_eq!(fixture.recorded("504"), 1.0);
}

#[tokio::test]
async fn smuggling_and_nonsense_are_refused() {
    let app = FaultServer::start(Fault::Hang).await.unwrap();
    let fixture = Fixture::start(app.addr(), |_| {});
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let mut client = Peer::connect(fixture.addr()).await;
        client.send(request).await;
        let head = client.head().await;
        let status: u16 = head[9..12].parse().unwrap();
        assert!([400, 405].contains(&status), "{request:?}: {head}");
    }
    assert_eq!(app.connections(), 0, "the app saw none of it");
}

/// Proof 8 of the first issue: what 10,000 distinct paths, methods and header values leave behind.
#[tokio::test]
async fn ten_thousand_distinct_requests_leave_a_bounded_number_of_series() {
    for status in [200, 404, 500] {
        let app = FaultServer::start(Fault::Answer(faults::http_answer(status, "x")))
            .await
            .unwrap();
        let fixture = Fixture::start(app.addr(), |_| {});
        let mut client = http::Connection::open(fixture.addr()).await.unwrap();
        for n in 0..10_000_u32 {
            let junk = n.wrapping_mul(2_654_435_761);
            let method = if n % 3 == 0 {
                format!("M{n}")
            } else {
                "GET".to_owned()
            };
            let depth = "/".to_owned() + &format!("p{junk:x}z/").repeat(1 + n as usize % 4);
            let head = format!(
                "{method} {depth}?q={n} HTTP/1.1\r\nHost: h{n}\r\nX-Forwarded-For: {n}\r\nReferer: {junk}\r\n\r\n"
            );
            client.send(head.as_bytes()).await.unwrap();
            assert_eq!(client.response().await.unwrap().status, status);
        }
        eventually(SOON, async || match fixture.recorded(&status.to_string()) {
            10_000.0 => Ok(()),
            n => Err(format!("{n} recorded")),
        })
        .await;
        let scrape = fixture.scrape();
        let counts = scrape
            .samples("http_request_duration_seconds_count", &[])
            .count();
        // Every route may have each method label, of which this client uses two.
        assert!(counts <= 2 * 203, "{status}: {counts} series");
        let folded = |into| {
            scrape.value(
                "vigie_gateway_route_overflow_total",
                &[("folded_into", into)],
            )
        };
        assert_eq!(folded("_OTHER"), Some(3_334.0));
        let routes = folded("<other>").unwrap() + folded("<unmatched>").unwrap();
        match status {
            200 => assert!(routes > 0.0),
            _ => assert_eq!(routes, 10_000.0, "{status}"),
        }
    }
}
