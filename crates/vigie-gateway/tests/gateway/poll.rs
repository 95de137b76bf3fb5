//! A client that leaves its poll: whether the Engine.IO session lives on is the server's to say.

use crate::common::{App, Fixture, Peer, SECOND, SOON};
use vigie_testkit::eventually;

const OPEN: &str = r#"0{"sid":"S","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
const SOCKETS: &str = "socket_active_connections";

/// A session whose poll is open, and whose client has left.
async fn left(fixture: &Fixture, app: &App) -> Peer {
    let mut client = Peer::connect(fixture.addr()).await;
    client.send(poll("")).await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream.send(answer(OPEN)).await;
    client.until(OPEN).await;
    assert_eq!(sessions(fixture), Some(1.0));
    client.send(poll("&sid=S")).await;
    upstream.head().await;
    drop(client);
    // The app hears of it at once.
    upstream.closed().await;
    upstream
}

#[tokio::test]
async fn an_app_that_does_not_answer_has_ended_it() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    drop(left(&fixture, &app).await);
    no_session(&fixture).await;
}

#[tokio::test]
async fn an_app_that_neither_answers_nor_closes_has_ended_it() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let _upstream = left(&fixture, &app).await;
    no_session(&fixture).await;
}

#[tokio::test]
async fn an_app_that_had_just_answered_has_not_noticed() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut upstream = left(&fixture, &app).await;
    upstream.send(answer("2")).await;
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(sessions(&fixture), Some(1.0));
    for reason in ["response_missing", "response_timeout"] {
        assert_eq!(fixture.failed(reason), 0.0, "nobody is to blame");
    }
    // That connection is not used again.
    let mut client = Peer::connect(fixture.addr()).await;
    client.send(poll("&sid=S")).await;
    assert!(app.accept().await.head().await.contains("sid=S"));
}

#[tokio::test]
async fn an_answer_that_closes_the_session_counts_though_nobody_gets_it() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut upstream = left(&fixture, &app).await;
    upstream.send(answer("6\u{1e}1")).await;
    no_session(&fixture).await;
}

fn poll(more: &str) -> String {
    format!("GET /socket.io/?EIO=4&transport=polling{more} HTTP/1.1\r\nHost: g\r\n\r\n")
}

fn answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn sessions(fixture: &Fixture) -> Option<f64> {
    fixture.scrape().value(SOCKETS, &[])
}

async fn no_session(fixture: &Fixture) {
    eventually(SOON, async || match sessions(fixture) {
        Some(0.0) => Ok(()),
        open => Err(format!("{open:?} sessions")),
    })
    .await;
}
