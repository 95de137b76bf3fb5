//! The PROXY protocol, from a load balancer and to the app.

use std::net::SocketAddr;
use std::time::Duration;

use vigie_gateway::proxy_protocol::{Addresses, Version, header};
use vigie_gateway::{Forwarding, Settings};

use crate::common::{App, Fixture, Peer};

const REQUEST: &str = "GET /x HTTP/1.1\r\nHost: g\r\nX-Forwarded-For: 192.0.2.99\r\n\r\n";

fn client() -> Addresses {
    Addresses {
        source: SocketAddr::from(([203, 0, 113, 7], 4711)),
        destination: SocketAddr::from(([198, 51, 100, 1], 80)),
    }
}

fn accepting(settings: &mut Settings) {
    settings.proxy_protocol = true;
}

#[tokio::test]
async fn the_client_is_the_one_that_a_trusted_balancer_names() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), accepting);
    for version in [Version::V1, Version::V2] {
        for pieces in [1, 5, usize::MAX] {
            let sent = [header(version, &client()), REQUEST.into()].concat();
            let mut balancer = Peer::connect(fixture.addr()).await;
            for piece in sent.chunks(pieces.min(sent.len())) {
                balancer.send(piece).await;
                tokio::task::yield_now().await;
            }
            let head = app.accept().await.head().await;
            // The client is not trusted, so what it says itself is replaced.
            assert!(
                head.contains("\r\nX-Forwarded-For: 203.0.113.7\r\n"),
                "{head}"
            );
            assert!(!head.contains("192.0.2.99"), "{head}");
        }
    }
}

#[tokio::test]
async fn a_connection_of_the_balancer_itself_is_its_own() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), accepting);
    let mut balancer = Peer::connect(fixture.addr()).await;
    balancer.send("PROXY UNKNOWN\r\n").await;
    balancer.send("GET / HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let head = app.accept().await.head().await;
    assert!(
        head.contains("\r\nX-Forwarded-For: 127.0.0.1\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn without_the_header_a_trusted_peer_is_refused() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |settings| {
        accepting(settings);
        settings.header_timeout = Duration::from_secs(1);
    });
    let mut peer = Peer::connect(fixture.addr()).await;
    peer.send(REQUEST).await;
    assert!(peer.head().await.starts_with("HTTP/1.1 400"));
    peer.closed().await;
    assert_eq!(fixture.failed("proxy_header_invalid"), 1.0);
    // It must be complete in time.
    let mut peer = Peer::connect(fixture.addr()).await;
    peer.send("PROXY TCP4 203.0.1").await;
    assert!(peer.head().await.starts_with("HTTP/1.1 408"));
    peer.closed().await;
    assert!(app.has_no_connection().await);
}

#[tokio::test]
async fn a_header_is_only_accepted_of_a_trusted_peer_and_if_the_setting_says_so() {
    for trusts in [true, false] {
        let app = App::bind().await;
        let fixture = Fixture::start(app.addr(), |settings| match trusts {
            true => settings.proxy_protocol = false,
            false => {
                settings.proxy_protocol = true;
                settings.trusted_proxies.clear();
            }
        });
        let mut peer = Peer::connect(fixture.addr()).await;
        peer.send(header(Version::V1, &client())).await;
        assert!(peer.head().await.starts_with("HTTP/1.1 400"));
        assert!(app.has_no_connection().await);
        // Without one it is a client as any other.
        let mut peer = Peer::connect(fixture.addr()).await;
        peer.send(REQUEST).await;
        app.accept().await.head().await;
    }
}

#[tokio::test]
async fn the_app_gets_one_header_for_each_connection_and_unchanged_requests() {
    for version in [Version::V1, Version::V2] {
        for proxied in [false, true] {
            let app = App::bind().await;
            let fixture = Fixture::start(app.addr(), |settings| {
                settings.forwarding = Forwarding::Proxy(version);
                settings.proxy_protocol = proxied;
            });
            let mut peer = Peer::connect(fixture.addr()).await;
            let addresses = match proxied {
                true => client(),
                false => Addresses {
                    source: peer.0.local_addr().unwrap(),
                    destination: fixture.addr(),
                },
            };
            if proxied {
                peer.send(header(Version::V1, &addresses)).await;
            }
            // Pipelined.
            peer.send(REQUEST.repeat(2)).await;
            let mut upstream = app.accept().await;
            let expected = [header(version, &addresses), REQUEST.repeat(2).into()].concat();
            let mut received = vec![0; expected.len()];
            let reading = tokio::io::AsyncReadExt::read_exact(&mut upstream.0, &mut received);
            let read = tokio::time::timeout(crate::common::SOON, reading).await;
            read.expect("the bytes arrive").unwrap();
            assert_eq!(received, expected);
            upstream
                .send("HTTP/1.1 204 No Content\r\n\r\n".repeat(2))
                .await;
            peer.head().await;
            peer.head().await;
            peer.send(REQUEST).await;
            assert_eq!(upstream.head().await, REQUEST);
        }
    }
}
