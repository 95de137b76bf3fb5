//! Silent streams.

use std::time::Duration;

use vigie_testkit::eventually;

use crate::common::{App, Fixture, Peer, SOON};

const SHORT: Duration = Duration::from_millis(300);

/// Opens a response with these fields, and returns both sides.
async fn open(fixture: &Fixture, app: &App, fields: &str) -> (Peer, Peer) {
    let mut client = Peer::connect(fixture.addr()).await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut peer = app.accept().await;
    peer.head().await;
    peer.send(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"))
        .await;
    client.head().await;
    (client, peer)
}

#[tokio::test]
async fn a_silent_event_stream_is_not_ended_and_a_silent_download_is() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |settings| {
        settings.body_timeout = SHORT;
        settings.traffic.stream_bytes = 10;
    });
    let (mut client, mut peer) = open(&fixture, &app, "content-type: text/event-stream").await;
    // Each is silent for as long as the event stream at most.
    for fields in ["transfer-encoding: chunked", "content-length: 11"] {
        let (mut other, _peer) = open(&fixture, &app, fields).await;
        other.closed().await;
    }
    eventually(SOON, async || {
        let stalled = fixture.failed("response_stalled");
        (stalled == 2.0)
            .then_some(())
            .ok_or(format!("{stalled} stalled"))
    })
    .await;
    peer.send("data: 1\n\n").await;
    client.until("data: 1\n\n").await;
    assert_eq!(fixture.scrape().value("http_streams_open", &[]), Some(1.0));
    drop(peer);
    client.closed().await;
    assert_eq!(fixture.failed("response_stalled"), 2.0);
}
