//! The end of the process: nothing that has arrived is lost.

use std::time::Duration;

use tokio::time::timeout;

use crate::common::{App, Fixture, Peer, SOON};

const UPGRADE: &str =
    "GET /ws HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn a_new_connection_may_still_send_its_request() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    // In the socket before the gateway drains, or just after.
    fixture.gateway.begin_draining();
    client.send("GET / HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 204"));
    client.closed().await;
}

#[tokio::test]
async fn connections_that_wait_to_be_accepted_are_served() {
    for threads in [1, 3] {
        let app = App::bind().await;
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = vigie_gateway::bind_for(address, threads).unwrap();
        let fixture = Fixture::listening(listener, app.addr(), |settings| {
            settings.threads = threads;
        });
        let mut clients = Vec::new();
        for _ in 0..30 {
            let mut client = Peer::connect(fixture.addr()).await;
            client.send("GET / HTTP/1.1\r\nHost: g\r\n\r\n").await;
            clients.push(client);
        }
        fixture.gateway.begin_draining();
        for _ in 0..30 {
            let mut upstream = app.accept().await;
            upstream.head().await;
            upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
        }
        for mut client in clients {
            assert!(client.head().await.starts_with("HTTP/1.1 204"));
        }
    }
}

#[tokio::test]
async fn sockets_stay_open_until_the_grace_period_has_passed() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut client = Peer::connect(fixture.addr()).await;
    client.send(UPGRADE).await;
    let mut upstream = app.accept().await;
    upstream.head().await;
    upstream.send(SWITCHED).await;
    client.head().await;
    let gateway = fixture.gateway;
    gateway.begin_draining();
    // Both directions still work.
    for n in 0..3 {
        client.send(format!("up {n}\n")).await;
        assert_eq!(upstream.until("\n").await, format!("up {n}\n"));
        upstream.send(format!("down {n}\n")).await;
        assert_eq!(client.until("\n").await, format!("down {n}\n"));
    }
    let drained = tokio::task::spawn_blocking(move || gateway.drain(Duration::from_secs(1)));
    timeout(SOON, drained).await.expect("it ends").unwrap();
    client.closed().await;
    upstream.closed().await;
}

#[tokio::test]
async fn a_listener_for_several_threads_is_an_error_if_the_address_is_taken() {
    let address = "127.0.0.1:0".parse().unwrap();
    let first = vigie_gateway::bind_for(address, 2).unwrap();
    let taken = first.local_addr().unwrap();
    for threads in [1, 2] {
        let error = vigie_gateway::bind_for(taken, threads).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    }
}
