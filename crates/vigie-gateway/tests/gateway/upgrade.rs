//! After an upgrade bytes pass through unchanged in both directions.

use crate::common::{App, Fixture, Peer, SOON};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vigie_testkit::eventually;

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\n";
const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n";

async fn upgraded(fixture: &Fixture, app: &App, early: &str) -> (Peer, Peer) {
    let mut client = Peer::connect(fixture.addr()).await;
    client.send(ASK).await;
    let mut upstream = app.accept().await;
    let head = upstream.head().await.to_lowercase();
    assert!(
        head.contains("\r\nupgrade: echo/1\r\n") && head.contains("\r\nconnection: upgrade\r\n")
    );
    upstream.send(format!("{SWITCH}\r\n{early}")).await;
    let head = client.head().await.to_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("\r\nupgrade: echo/1\r\n"), "{head}");
    (client, upstream)
}

#[tokio::test]
async fn every_byte_arrives_in_order() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    // The first bytes may travel together with the head.
    let (mut client, mut upstream) = upgraded(&fixture, &app, "early").await;
    assert_eq!(client.until("early").await, "early");

    let up: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n.wrapping_mul(31) >> 3) as u8)
        .collect();
    let down: Vec<u8> = up.iter().rev().copied().collect();
    let (mut client_read, mut client_write) = client.0.split();
    let (mut app_read, mut app_write) = upstream.0.split();
    let (mut got_up, mut got_down) = (vec![0; up.len()], vec![0; down.len()]);
    let all = async {
        tokio::try_join!(
            client_write.write_all(&up),
            app_write.write_all(&down),
            app_read.read_exact(&mut got_up),
            client_read.read_exact(&mut got_down),
        )
    };
    tokio::time::timeout(SOON, all).await.unwrap().unwrap();
    assert!(got_up == up && got_down == down);
}

#[tokio::test]
async fn one_side_may_close_before_the_other() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let (mut client, mut upstream) = upgraded(&fixture, &app, "").await;
    client.send("last words").await;
    client.0.shutdown().await.unwrap();
    upstream.until("last words").await;
    upstream.closed().await;
    upstream.send("answer").await;
    assert_eq!(client.until("answer").await, "answer");
    drop(upstream);
    client.closed().await;
    let connections = async || {
        let scrape = fixture.scrape();
        match scrape.value("vigie_gateway_connections", &[]) {
            Some(0.0) => Ok(()),
            n => Err(format!("{n:?} connections")),
        }
    };
    eventually(SOON, connections).await;
    assert_eq!(fixture.recorded("101"), 1.0);
}

#[tokio::test]
async fn an_app_that_vanishes_takes_its_tunnels_along() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let (mut client, upstream) = upgraded(&fixture, &app, "").await;
    drop(upstream);
    client.closed().await;
}

#[tokio::test]
async fn an_app_that_declines_answers_as_ever() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    client.send(ASK).await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream
        .send("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert!(client.until("\r\n\r\nno").await.starts_with("HTTP/1.1 426"));
    // And the connection goes on.
    client.send("GET /next HTTP/1.1\r\nHost: g\r\n\r\n").await;
    assert!(upstream.head().await.starts_with("GET /next"));
}

#[tokio::test]
async fn http2_is_not_let_past_the_gateway() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    for (asked, offered) in [
        ("h2c", ""),
        ("h2c,", ""),
        ("h2c, websocket", "Upgrade: websocket\r\n"),
        ("websocket, h2c, H2C", "Upgrade: websocket\r\n"),
        ("websocket", "Upgrade: websocket\r\n"),
    ] {
        let mut client = Peer::connect(fixture.addr()).await;
        let settings = "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
        let ask = ASK
            .replace("echo/1", asked)
            .replace("\r\n\r\n", &format!("\r\n{settings}"));
        client.send(ask).await;
        let head = app.accept().await.head().await;
        let found = head
            .split_inclusive('\n')
            .find(|line| line.starts_with("Upgrade"));
        assert_eq!(found.unwrap_or_default(), offered, "{asked}");
        assert_eq!(
            head.contains("HTTP2-Settings"),
            !asked.contains("h2c"),
            "{head}"
        );
    }
}
