//! Faults that proxies have shown in public reports: what the client or the app must see instead.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vigie_testkit::eventually;

use crate::common::{App, Fixture, Peer, SOON};

const GET: &str = "GET /x HTTP/1.1\r\nHost: g\r\n\r\n";

/// A client and its connection to the app, after this request.
async fn asked(fixture: &Fixture, app: &App, request: &str) -> (Peer, Peer) {
    let mut client = Peer::connect(fixture.addr()).await;
    client.send(request).await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    (client, upstream)
}

/// caddyserver/caddy#6041: interim responses were dropped (RFC 9110, section 15.2).
#[tokio::test]
async fn interim_responses_pass() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let (mut client, mut upstream) = asked(&fixture, &app, GET).await;
    for interim in [
        "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </b.css>\r\n\r\n",
    ] {
        upstream.send(interim).await;
        assert_eq!(client.head().await, interim);
    }
    let answer = "HTTP/1.1 200 OK\r\nX-CaSe: Kept\r\nContent-Length: 0\r\n\r\n";
    upstream.send(answer).await;
    assert_eq!(client.head().await, answer);
    eventually(SOON, async || match fixture.recorded("200") {
        1.0 => Ok(()),
        n => Err(format!("{n} recorded")),
    })
    .await;
    assert_eq!(fixture.recorded("103"), 0.0);
}

/// tinyproxy/tinyproxy#79, pallets/werkzeug#1174: the proxy answered the expectation in the app's name.
#[tokio::test]
async fn an_expectation_is_left_to_the_app() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let request = "PUT /x HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    let (mut client, mut upstream) = asked(&fixture, &app, request).await;
    let refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    upstream.send(refusal).await;
    assert_eq!(client.head().await, refusal);
    drop(upstream);
    client.closed().await;

    let (mut client, mut upstream) = asked(&fixture, &app, request).await;
    upstream.send("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.until("100 Continue\r\n\r\n").await;
    client.send("body").await;
    upstream.until("body").await;
}

/// villadora/express-http-proxy#546: an error in writing the request was taken for the answer (RFC 9112, section 9.5).
#[tokio::test]
async fn an_early_answer_to_an_upload_arrives() {
    const LENGTH: usize = 8 << 20;
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    for round in 0..20 {
        let mut client = Peer::connect(fixture.addr()).await;
        let head = format!("PUT /x HTTP/1.1\r\nHost: g\r\nContent-Length: {LENGTH}\r\n\r\n");
        let (mut read, mut write) = client.0.split();
        let sending = async {
            write.write_all(head.as_bytes()).await?;
            write.write_all(&vec![b'x'; LENGTH]).await
        };
        let answering = async {
            let mut upstream = app.accept().await;
            upstream.head().await;
            let answer =
                "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig";
            // Closed with unread bytes, so that the connection is reset.
            upstream.send(answer).await;
        };
        let reading = async {
            let mut answer = Vec::new();
            let _ = read.read_to_end(&mut answer).await;
            String::from_utf8(answer).unwrap()
        };
        let (_, (), answer) = tokio::join!(sending, answering, reading);
        assert!(
            answer.starts_with("HTTP/1.1 413"),
            "round {round}: {answer}"
        );
    }
    assert_eq!(fixture.recorded("413"), 20.0);
    assert_eq!(fixture.scrape().sum("http_requests_errors_total", &[]), 0.0);
}

/// envoyproxy/envoy#13827, hyperium/hyper#3283: an undocumented bound of the app's fields.
#[tokio::test]
async fn many_and_large_fields_of_the_app_pass() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let (mut client, mut upstream) = asked(&fixture, &app, GET).await;
    let cookies: String = (0..400)
        .map(|n| format!("Set-Cookie: c{n}=1\r\n"))
        .collect();
    let large = "x".repeat(200_000);
    let answer =
        format!("HTTP/1.1 200 OK\r\n{cookies}X-Large: {large}\r\nContent-Length: 0\r\n\r\n");
    upstream.send(&answer).await;
    assert_eq!(client.head().await, answer);
}

/// haproxy/haproxy#1997, mtrudel/bandit#619: `Upgrade` was removed from a 426.
#[tokio::test]
async fn upgrade_fields_of_ordinary_responses_pass() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let (mut client, mut upstream) = asked(&fixture, &app, GET).await;
    let answer = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.2\r\nConnection: Upgrade\r\n\
                  Content-Length: 0\r\n\r\n";
    upstream.send(answer).await;
    assert_eq!(client.head().await, answer);
}

/// golang/vulndb#3135: a client could remove the fields of a trusted proxy by naming them in `Connection`.
#[tokio::test]
async fn connection_removes_no_fields() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    let head = "GET / HTTP/1.1\r\nHost: g\r\nConnection: close, X-Forwarded-For, X-Forwarded-Proto\r\n\
                X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n";
    client.send(head).await;
    assert_eq!(app.accept().await.head().await, head);
}

/// envoyproxy/envoy#9821: what was refused appeared nowhere, or as an error of the app.
#[tokio::test]
async fn refused_requests_are_counted_and_are_no_errors_of_the_app() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |settings| settings.max_headers = 100);
    let head = |fields: &str| format!("GET / HTTP/1.1\r\nHost: g\r\n{fields}\r\n");
    let mut refused = [0.0; 3];
    for (input, kind, status) in [
        (head(&"X: y\r\n".repeat(101)), 0, "431"),
        (
            head(&format!("Cookie: {}\r\n", "c".repeat(70_000))),
            0,
            "431",
        ),
        (head("X: a\r\n folded\r\n"), 1, "400"),
        (head("Content-Length: 0\r\nContent-Length: 0\r\n"), 1, "400"),
        (
            "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}".into(),
            1,
            "400",
        ),
        (
            "PROXY TCP4 203.0.113.7 127.0.0.1 51000 80\r\nGET / HTTP/1.1\r\n".into(),
            1,
            "400",
        ),
        (
            "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n".into(),
            2,
            "405",
        ),
    ] {
        let mut client = Peer::connect(fixture.addr()).await;
        client.send(&input).await;
        let answer = client.head().await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        client.until("\n").await;
        client.closed().await;
        refused[kind] += 1.0;
    }
    let reasons = ["request_too_large", "request_invalid", "connect_method"];
    assert_eq!(reasons.map(|reason| fixture.failed(reason)), refused);
    assert!(app.has_no_connection().await);
    assert_eq!(fixture.scrape().sum("http_requests_errors_total", &[]), 0.0);
}

/// A refusal waits for the responses that are owed, and nothing behind it is read.
#[tokio::test]
async fn a_refusal_is_the_last_answer() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let first = "GET /1 HTTP/1.1\r\nHost: g\r\n\r\nGET /2 HTTP/1.1\r\nHost: g\r\n\r\n";
    let (mut client, mut upstream) = {
        let mut client = Peer::connect(fixture.addr()).await;
        client
            .send(format!("{first}GET /3 HTTP/1.1\r\nHost : g\r\n\r\n{GET}"))
            .await;
        let mut upstream = app.accept().await;
        upstream.head().await;
        upstream.head().await;
        (client, upstream)
    };
    let answer = |n| format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{n}");
    upstream.send(answer(1)).await;
    client.until("\r\n\r\n1").await;
    client.send(GET).await;
    upstream.send(answer(2)).await;
    client.until("\r\n\r\n2").await;
    assert!(client.head().await.starts_with("HTTP/1.1 400"));
    upstream.closed().await;
    client.closed().await;
    assert_eq!(fixture.recorded("200"), 2.0);
    assert_eq!(fixture.failed("request_invalid"), 1.0);
}
