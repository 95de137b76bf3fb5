//! Requests that have no ordinary success get routes of their own, through the gateway.

use std::net::SocketAddr;
use std::time::Duration;

use crate::common::{App, Fixture, Peer, SOON};
use vigie_testkit::{Fault, FaultServer, eventually, faults, http};

async fn until_counted(fixture: &Fixture, route: &str, code: &str, requests: f64) {
    let labels = [("route", route), ("code", code)];
    eventually(SOON, async || {
        let found = fixture
            .scrape()
            .sum("http_request_duration_seconds_count", &labels);
        (found == requests)
            .then_some(())
            .ok_or(format!("{found} requests of {route} with {code}"))
    })
    .await;
}

#[tokio::test]
async fn a_web_socket_has_a_route_from_its_second_connection_on() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |_| {});
    let mut open = Vec::new();
    for room in 1..=4 {
        let mut client = Peer::connect(fixture.addr()).await;
        client
            .send(format!(
                "GET /live/{room} HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            ))
            .await;
        let mut upstream = app.accept().await;
        upstream.head().await;
        let switch =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        upstream.send(switch).await;
        client.head().await;
        open.push((client, upstream));
    }
    until_counted(&fixture, "/live/:id", "101", 3.0).await;
    until_counted(&fixture, "<other>", "101", 1.0).await;
}

#[tokio::test]
async fn routes_that_never_succeed_have_names_and_the_gateways_own_answers_teach_none() {
    let named = |status| {
        (
            Fault::Answer(faults::http_answer(status, "x")),
            "<other>",
            6.0,
        )
    };
    for ((fault, folded, named), code) in [
        (named(500), "500"),
        (named(403), "403"),
        ((Fault::Hang, "<other>", 6.0), "504"),
        ((Fault::Close, "<other>", 6.0), "502"),
        // The app is down: nothing is known about its routes.
        ((Fault::Refuse, "<other>", 0.0), "502"),
        (
            (
                Fault::Answer(faults::http_answer(404, "x")),
                "<unmatched>",
                0.0,
            ),
            "404",
        ),
    ] {
        let app = FaultServer::start(fault.clone()).await.unwrap();
        let fixture = Fixture::start(app.addr(), |settings| {
            if matches!(fault, Fault::Hang) {
                settings.response_timeout = Duration::from_millis(50);
            }
        });
        request(fixture.addr(), 10).await;
        until_counted(&fixture, "/reports/:id", code, named).await;
        until_counted(&fixture, folded, code, 10.0 - named).await;
    }
}

async fn request(gateway: SocketAddr, times: u32) {
    for n in 0..times {
        http::get(gateway, &format!("/reports/{n}")).await.unwrap();
    }
}
