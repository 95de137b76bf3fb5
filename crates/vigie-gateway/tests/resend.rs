//! The app closes an idle connection at the moment when the gateway sends a request on it.
//!
//! Whether the gateway notices before it has written depends on the scheduler, so each test repeats the situation until
//! it has met the case it is about. About every second time it does.
#![allow(clippy::unwrap_used)]

mod common;

use common::{App, Fixture, Peer};
use tokio::select;

const ROUNDS: u32 = 2_000;
const REQUEST: &str = "GET /x HTTP/1.1\r\nHost: g\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const LAST_ANSWER: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

fn resends(fixture: &Fixture) -> f64 {
    let scrape = fixture.scrape();
    scrape.value("vigie_gateway_resends_total", &[]).unwrap()
}

/// An idle connection of the gateway, from the side of the app.
async fn idle(client: &mut Peer, app: &App) -> Peer {
    client.send(REQUEST).await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream.send(ANSWER).await;
    client.head().await;
    upstream
}

#[tokio::test]
async fn a_request_of_which_nothing_was_written_is_sent_again_and_counted() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    let mut lost = 0.0;
    for _ in 0..ROUNDS {
        let upstream = idle(&mut client, &app).await;
        client.send(REQUEST).await;
        drop(upstream);
        let head = select! {
            // Written before the connection was closed: the app may have read it.
            head = client.head() => {
                lost += 1.0;
                head
            }
            mut upstream = app.accept() => {
                assert_eq!(upstream.head().await.lines().next(), Some("GET /x HTTP/1.1"));
                upstream.send(LAST_ANSWER).await;
                upstream.closed().await;
                let head = client.head().await;
                assert!(head.starts_with("HTTP/1.1 204"), "{head}");
                head
            }
        };
        assert_eq!(fixture.failed("response_missing"), lost, "{head}");
        if resends(&fixture) == 1.0 {
            assert_eq!(fixture.failed("connect_failed"), 0.0);
            return;
        }
    }
    panic!("no request was sent again");
}

#[tokio::test]
async fn the_first_failure_is_the_reason_when_the_app_is_gone_too() {
    for _ in 0..ROUNDS {
        let app = App::bind().await;
        let fixture = Fixture::start(app.addr(), |_| {});
        let mut client = Peer::connect(fixture.addr()).await;
        let upstream = idle(&mut client, &app).await;
        // No other connection can be made.
        drop(app);
        client.send(REQUEST).await;
        drop(upstream);
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 502"), "{head}");
        let failed = ["response_missing", "connect_failed"].map(|reason| fixture.failed(reason));
        if resends(&fixture) == 1.0 {
            assert_eq!(failed, [1.0, 0.0]);
            return;
        }
        assert_eq!(failed.iter().sum::<f64>(), 1.0);
    }
    panic!("no request was sent again");
}
