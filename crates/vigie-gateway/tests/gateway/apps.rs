//! Several addresses of the app.

use crate::common::{App, Fixture, Peer};
use vigie_testkit::{Fault, FaultServer, http};

const ANSWER: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn with(fixture_apps: &[&App]) -> Fixture {
    let addresses: Vec<String> = fixture_apps
        .iter()
        .map(|app| app.addr().to_string())
        .collect();
    Fixture::start(fixture_apps[0].addr(), |settings| settings.apps = addresses)
}

fn of(fixture: &Fixture, name: &str, app: &str) -> Option<f64> {
    fixture.scrape().value(name, &[("app", app)])
}

#[tokio::test]
async fn connections_are_distributed_and_each_keeps_its_address() {
    let (first, second) = (App::bind().await, App::bind().await);
    let fixture = with(&[&first, &second]);
    let mut open = Vec::new();
    for app in [&first, &second, &first, &second] {
        let mut client = Peer::connect(fixture.addr()).await;
        client.send("GET /1 HTTP/1.1\r\nHost: g\r\n\r\n").await;
        let mut upstream = app.accept().await;
        upstream.head().await;
        upstream.send(ANSWER).await;
        client.head().await;
        open.push((client, upstream));
    }
    for app in [&first, &second] {
        let address = app.addr().to_string();
        let connections = of(&fixture, "vigie_gateway_app_connections", &address);
        assert_eq!(connections, Some(2.0));
        assert_eq!(of(&fixture, "vigie_gateway_app_up", &address), Some(1.0));
    }
    for (client, upstream) in &mut open {
        client.send("GET /2 HTTP/1.1\r\nHost: g\r\n\r\n").await;
        assert!(upstream.head().await.starts_with("GET /2 "));
        upstream.send(ANSWER).await;
        client.head().await;
    }
}

#[tokio::test]
async fn another_address_is_tried_if_connecting_fails() {
    let refusing = FaultServer::start(Fault::Refuse).await.unwrap();
    let app = App::bind().await;
    let addresses = [refusing.addr().to_string(), app.addr().to_string()];
    let fixture = Fixture::start(app.addr(), |settings| settings.apps = addresses.to_vec());
    for _ in 0..4 {
        let mut client = Peer::connect(fixture.addr()).await;
        client.send("GET / HTTP/1.1\r\nHost: g\r\n\r\n").await;
        let mut upstream = app.accept().await;
        upstream.head().await;
        upstream.send(ANSWER).await;
        assert!(client.head().await.starts_with("HTTP/1.1 204"));
    }
    let [refused, accepted] = addresses;
    let failures = of(
        &fixture,
        "vigie_gateway_app_connect_failures_total",
        &refused,
    );
    // It is avoided after the first one.
    assert!(failures >= Some(1.0), "{failures:?}");
    assert_eq!(of(&fixture, "vigie_gateway_app_up", &refused), Some(0.0));
    assert_eq!(of(&fixture, "vigie_gateway_app_up", &accepted), Some(1.0));
    let up = fixture
        .scrape()
        .value("vigie_source_up", &[("source", "app")]);
    assert_eq!(up, Some(1.0));
    assert_eq!(fixture.failed("connect_failed"), 0.0);
}

#[tokio::test]
async fn a_request_that_an_address_has_received_is_not_sent_to_another() {
    let closing = FaultServer::start(Fault::Close).await.unwrap();
    let app = App::bind().await;
    let addresses = vec![closing.addr().to_string(), app.addr().to_string()];
    let fixture = Fixture::start(app.addr(), |settings| settings.apps = addresses);
    // The first connection gets the first address.
    let response = http::get(fixture.addr(), "/x").await.unwrap();
    assert_eq!(response.status, 502);
    assert!(app.has_no_connection().await);
    assert_eq!(fixture.failed("response_missing"), 1.0);
}

#[tokio::test]
async fn if_all_addresses_refuse_the_client_is_told_once() {
    let servers = [
        FaultServer::start(Fault::Refuse).await.unwrap(),
        FaultServer::start(Fault::Refuse).await.unwrap(),
    ];
    let addresses = servers.iter().map(|server| server.addr().to_string());
    let addresses: Vec<String> = addresses.collect();
    let fixture = Fixture::start(servers[0].addr(), |settings| {
        settings.apps = addresses.clone();
    });
    let response = http::get(fixture.addr(), "/x").await.unwrap();
    assert_eq!(response.status, 502);
    assert_eq!(fixture.failed("connect_failed"), 1.0);
    for address in &addresses {
        let failures = of(
            &fixture,
            "vigie_gateway_app_connect_failures_total",
            address,
        );
        assert_eq!(failures, Some(1.0), "{address}");
    }
    let up = fixture
        .scrape()
        .value("vigie_source_up", &[("source", "app")]);
    assert_eq!(up, Some(0.0));
}
