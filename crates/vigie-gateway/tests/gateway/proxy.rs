//! Requests and responses pass unchanged, and what happens to them is recorded.

use std::time::Duration;

use crate::common::{App, Fixture, Peer, SECOND, SOON};
use tokio::time::timeout;
use vigie_gateway::Forwarding;
use vigie_testkit::{Fault, FaultServer, eventually, faults, http};

#[tokio::test]
async fn one_connection_to_the_app_serves_many_requests() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    let mut upstream = None;
    for n in 0..5 {
        client
            .send(format!("GET /players/{n} HTTP/1.1\r\nHost: game\r\n\r\n"))
            .await;
        if upstream.is_none() {
            upstream = Some(app.accept().await);
        }
        let upstream = upstream.as_mut().unwrap();
        let head = upstream.head().await;
        assert!(
            head.starts_with(&format!("GET /players/{n} HTTP/1.1\r\n")),
            "{head}"
        );
        let answer =
            format!("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 1\r\n\r\n{n}");
        upstream.send(answer).await;
        let response = client.until(&format!("\r\n\r\n{n}")).await;
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(response.contains("\r\nKeep-Alive: timeout=5\r\n"));
    }
    eventually(SOON, async || match fixture.recorded("200") {
        5.0 => Ok(()),
        n => Err(format!("{n} recorded")),
    })
    .await;
    assert_eq!(
        fixture
            .scrape()
            .value("vigie_gateway_requests_in_flight", &[]),
        Some(0.0)
    );
    assert_eq!(
        fixture
            .scrape()
            .value("vigie_source_up", &[("source", "app")]),
        Some(1.0)
    );
}

#[tokio::test]
async fn the_app_gets_the_clients_head() {
    let head = "GET /find?filter={\"name\":\"ann\"}&y=%2F HTTP/1.1\r\nHost: game.example:8080\r\ncookie: a=b\r\n\
                Connection: keep-alive, x-secret-hop\r\nX-Secret-Hop: 1\r\nTE: trailers\r\n\
                X-Twice: 1\r\nx-twice:  2\t\r\n";
    let by_vigie = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: game.example:8080\r\n\
                    X-Forwarded-Proto: http\r\n\
                    Forwarded: for=127.0.0.1;host=\"game.example:8080\";proto=http\r\n";
    let by_proxy = "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 198.51.100.2\r\nX-Forwarded-Proto: https\r\n";
    let appended = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: game.example:8080\r\n\
                    Forwarded: for=127.0.0.1;host=\"game.example:8080\";proto=http\r\n";
    for (forwarding, trusts, sent, received) in [
        (Forwarding::Insert, true, "", by_vigie.to_owned()),
        (Forwarding::Insert, true, by_proxy, by_proxy.to_owned()),
        (Forwarding::Insert, false, by_proxy, by_vigie.to_owned()),
        (Forwarding::Append, true, "", by_vigie.to_owned()),
        (
            Forwarding::Append,
            true,
            by_proxy,
            format!("{by_proxy}{appended}"),
        ),
        (Forwarding::Append, false, by_proxy, by_vigie.to_owned()),
        (Forwarding::None, true, "", String::new()),
        (Forwarding::None, false, by_proxy, by_proxy.to_owned()),
    ] {
        let app = App::bind().await;
        let fixture = Fixture::start(app.addr(), |settings| {
            settings.forwarding = forwarding;
            if !trusts {
                settings.trusted_proxies.clear();
            }
        });
        let mut client = Peer::connect(fixture.addr()).await;
        client.send(format!("{head}{sent}\r\n")).await;
        let read = app.accept().await.head().await;
        assert_eq!(
            read,
            format!("{head}{received}\r\n"),
            "{forwarding:?} {trusts}"
        );
    }
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    client
        .send("POST /echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let mut upstream = app.accept().await;
    assert!(
        upstream
            .head()
            .await
            .to_lowercase()
            .contains("transfer-encoding: chunked")
    );
    upstream
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.head().await;
    // Each piece arrives before the next is sent: nothing collects them.
    for n in 0..3 {
        client.send(format!("2\r\nu{n}\r\n")).await;
        assert_eq!(
            upstream.until(&format!("u{n}\r\n")).await,
            format!("2\r\nu{n}\r\n")
        );
        upstream.send(format!("2\r\nd{n}\r\n")).await;
        assert_eq!(
            client.until(&format!("d{n}\r\n")).await,
            format!("2\r\nd{n}\r\n")
        );
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(upstream.until("0\r\n\r\n").await, "0\r\n\r\n");
    upstream.send("0\r\n\r\n").await;
    client.until("0\r\n\r\n").await;
    eventually(SOON, async || match fixture.recorded("200") {
        1.0 => Ok(()),
        n => Err(format!("{n} recorded")),
    })
    .await;
}

#[tokio::test]
async fn a_slow_app_does_not_make_the_gateway_collect_an_upload() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    let length = 256 << 20;
    client
        .send(format!(
            "PUT /big HTTP/1.1\r\nHost: g\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    let chunk = vec![b'x'; 1 << 20];
    let mut sent = 0;
    // The app reads nothing: soon the client cannot send any more either.
    while sent < length {
        let sending = tokio::io::AsyncWriteExt::write_all(&mut client.0, &chunk);
        if timeout(Duration::from_millis(500), sending).await.is_err() {
            break;
        }
        sent += chunk.len();
    }
    assert!(sent < 64 << 20, "{sent} bytes were taken from the client");
}

#[tokio::test]
async fn a_client_that_leaves_is_told_to_the_app_at_once() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});

    // While it waits for the response.
    let mut client = Peer::connect(fixture.addr()).await;
    client.send("GET /slow HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    drop(client);
    upstream.closed().await;
    // As every server does.
    drop(upstream);

    // In the middle of the response.
    let mut client = Peer::connect(fixture.addr()).await;
    client.send("GET /slow HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream
        .send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        .await;
    client.until("abc").await;
    drop(client);
    upstream.closed().await;
    drop(upstream);

    // In the middle of its own upload.
    let mut client = Peer::connect(fixture.addr()).await;
    client
        .send("POST /up HTTP/1.1\r\nHost: g\r\nContent-Length: 10\r\n\r\nabc")
        .await;
    let mut upstream = app.accept().await;
    upstream.until("\r\n\r\nabc").await;
    drop(client);
    upstream.closed().await;
    drop(upstream);

    eventually(SOON, async || match fixture.recorded("499") {
        3.0 => Ok(()),
        n => Err(format!("{n} recorded as 499")),
    })
    .await;
    assert_eq!(fixture.recorded("200"), 0.0);
    assert_eq!(fixture.scrape().sum("http_requests_errors_total", &[]), 0.0);
}

#[tokio::test]
async fn an_app_that_is_down_or_lies_is_answered_for() {
    let answer = faults::http_answer(200, "hello");
    for (fault, status, reason) in [
        (Fault::Refuse, 502, "connect_failed"),
        (Fault::Close, 502, "response_missing"),
        // Nonsense sent unasked may end the connection before a request is on it.
        (Fault::Garbage, 502, "response_invalid|response_missing"),
        (
            Fault::ResetAfter(9, answer.clone()),
            502,
            "response_missing",
        ),
        (Fault::Hang, 504, "response_timeout"),
        (Fault::Late(SOON, answer.clone()), 504, "response_timeout"),
    ] {
        let app = FaultServer::start(fault.clone()).await.unwrap();
        let fixture = Fixture::start(app.addr(), |settings| {
            if reason == "response_timeout" {
                settings.response_timeout = 2 * SECOND;
            }
        });
        let response = http::get(fixture.addr(), "/x").await.unwrap();
        assert_eq!(response.status, status, "{fault:?}");
        assert_eq!(
            response.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert!(
            response.text().starts_with(&status.to_string()),
            "{}",
            response.text()
        );
        let failed: f64 = reason.split('|').map(|reason| fixture.failed(reason)).sum();
        assert_eq!(failed, 1.0, "{fault:?}");
        assert_eq!(fixture.recorded(&status.to_string()), 1.0, "{fault:?}");
        let errors = fixture.scrape().sum("http_requests_errors_total", &[]);
        assert_eq!(errors, 1.0, "{fault:?}");
        // It recovers with the app, without a restart.
        app.set(Fault::Answer(answer.clone())).await;
        let response = http::get(fixture.addr(), "/x").await.unwrap();
        assert_eq!(
            (response.status, response.text()),
            (200, "hello".to_owned()),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_response_cut_short_is_cut_short_for_the_client_too() {
    let answer = faults::http_answer(200, "0123456789");
    let cut = answer.len() - 4;
    let app = FaultServer::start(Fault::CloseAfter(cut, answer))
        .await
        .unwrap();
    let fixture = Fixture::start(app.addr(), |_| {});
    assert!(http::get(fixture.addr(), "/x").await.is_err());
    eventually(SOON, async || match fixture.failed("response_cut") {
        1.0 => Ok(()),
        n => Err(format!("{n} cut")),
    })
    .await;
    assert_eq!(fixture.recorded("502"), 1.0);
}

#[tokio::test]
async fn a_request_the_app_read_is_never_sent_again() {
    for method in ["GET", "HEAD", "POST", "PUT"] {
        for body in ["", "abc"] {
            for reused in [false, true] {
                let app = App::bind().await;
                let fixture = Fixture::start(app.addr(), |_| {});
                let mut client = Peer::connect(fixture.addr()).await;
                let mut upstream = None;
                if reused {
                    client.send("GET /1 HTTP/1.1\r\nHost: g\r\n\r\n").await;
                    let mut first = app.accept().await;
                    first.head().await;
                    first.send("HTTP/1.1 204 No Content\r\n\r\n").await;
                    client.head().await;
                    upstream = Some(first);
                }
                let length = body.len();
                client
                    .send(format!(
                        "{method} /2 HTTP/1.1\r\nHost: g\r\nContent-Length: {length}\r\n\r\n{body}"
                    ))
                    .await;
                let mut upstream = match upstream {
                    Some(upstream) => upstream,
                    None => app.accept().await,
                };
                upstream.until(&format!("\r\n\r\n{body}")).await;
                drop(upstream);
                let case = format!("{method} {body:?} reused={reused}");
                // Later the client sees what it would see without the gateway.
                match reused {
                    false => assert!(client.head().await.starts_with("HTTP/1.1 502"), "{case}"),
                    true => client.closed().await,
                }
                // A second connection would be in the backlog already.
                assert!(app.has_no_connection().await, "{case}");
                assert_eq!(fixture.failed("response_missing"), 1.0, "{case}");
                assert_eq!(fixture.recorded("502"), 1.0, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_chunked_response_with_a_length_arrives_whole() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    let mut upstream = None;
    for length in [3, 100] {
        client.send("GET /p HTTP/1.1\r\nHost: g\r\n\r\n").await;
        if upstream.is_none() {
            upstream = Some(app.accept().await);
        }
        let upstream = upstream.as_mut().unwrap();
        upstream.head().await;
        upstream
            .send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n\
                 a\r\n0123456789\r\n0\r\n\r\n"
            ))
            .await;
        client.head().await;
        assert_eq!(
            client.until("0\r\n\r\n").await,
            "a\r\n0123456789\r\n0\r\n\r\n"
        );
    }
    eventually(SOON, async || match fixture.recorded("200") {
        2.0 => Ok(()),
        n => Err(format!("{n} recorded")),
    })
    .await;
}

#[tokio::test]
async fn head_and_empty_responses_keep_their_framing() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    client.send("HEAD /file HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream
        .send("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
        .await;
    assert!(
        client
            .head()
            .await
            .to_lowercase()
            .contains("content-length: 12345")
    );
    client
        .send("GET /file HTTP/1.1\r\nHost: g\r\nIf-None-Match: \"x\"\r\n\r\n")
        .await;
    upstream.head().await;
    upstream
        .send("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 304"));
    eventually(SOON, async || {
        let codes = (fixture.recorded("200"), fixture.recorded("304"));
        if codes == (1.0, 1.0) {
            Ok(())
        } else {
            Err(format!("{codes:?}"))
        }
    })
    .await;
}

#[tokio::test]
async fn draining_lets_open_requests_finish() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let addr = fixture.addr();
    let mut client = Peer::connect(addr).await;
    let mut idle = Peer::connect(addr).await;
    client.send("GET /slow HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    let gateway = fixture.gateway;
    let drained = tokio::task::spawn_blocking(move || gateway.drain(4 * SOON));
    idle.closed().await;
    eventually(SOON, async || {
        match tokio::net::TcpStream::connect(addr).await {
            Ok(_) => Err("still accepting"),
            Err(_) => Ok(()),
        }
    })
    .await;
    upstream
        .send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        .await;
    assert!(client.until("done").await.starts_with("HTTP/1.1 200"));
    timeout(SOON, drained)
        .await
        .expect("drained before the grace ended")
        .unwrap();
}
