//! The passive capture beside the gateway, on the same traffic.

use std::collections::BTreeMap;

use serde_json::json;
use vigie_testkit::demo::ROUTES;
use vigie_testkit::promtext::Scrape;
use vigie_testkit::{SOON, eventually};

use crate::common::{Stage, Vigie};
use crate::traffic::{COUNT, SOCKETS, play, settled, tally};

#[tokio::test]
#[ignore = "needs CAP_NET_RAW"]
async fn capture_and_gateway_count_the_same_requests_and_sessions() {
    let mut stage = Stage::set_with(&[
        ("SOCKET_PING_INTERVAL", "3000"),
        ("SOCKET_PING_TIMEOUT", "2000"),
    ])
    .await;
    let app = stage.app;
    let gateway = Vigie::start(&format!(
        "[gateway]\napp = \"http://{app}\"\nroutes = {ROUTES:?}\n"
    ))
    .await;
    // It sees the connections of the gateway to the app.
    let capture = Vigie::start(&format!(
        "[capture]\nlisten = [\"lo:{}\"]\nroutes = {ROUTES:?}\nsettle = \"0s\"\n",
        app.port()
    ))
    .await;

    let mut players = play(gateway.gateway, &["--seed", "3"]);
    eventually(SOON, async || {
        let open = capture.scrape().await.value(SOCKETS, &[]);
        (open > Some(0.0))
            .then_some(())
            .ok_or(format!("{open:?} sockets during the game"))
    })
    .await;
    let tally = tally(&mut players).await;
    let theirs = settled(&gateway, &tally).await;
    let ours = settled(&capture, &tally).await;
    for never in [
        "vigie_requests_abandoned_total",
        "vigie_capture_packets_dropped_total",
    ] {
        assert_eq!(ours.sum(never, &[]), 0.0, "{never}");
    }
    compare(&theirs, &ours);

    let clients = json!({"cmd": "clients"});
    eventually(SOON, async || {
        let truth = stage.backend.ask(&clients, SOON).await.unwrap();
        let open = [&gateway, &capture].map(|vigie| vigie.scrape());
        let [through, captured] = open;
        let open = [through.await, captured.await].map(|scrape| scrape.value(SOCKETS, &[]));
        let ended = truth["clientsCount"] == 0 && open == [Some(0.0); 2];
        ended
            .then_some(())
            .ok_or(format!("{open:?} sockets after the game, {truth}"))
    })
    .await;
    capture.stop().await;
    gateway.stop().await;
    stage.end().await;
}

/// The counts are equal by method, route and code. Of a request whose client leaves while the app sends the last bytes, one of the
/// two may have seen the whole response.
fn compare(gateway: &Scrape, capture: &Scrape) {
    let (gateway, capture) = (by_route(gateway), by_route(capture));
    let total = |codes: &BTreeMap<String, u64>| codes.values().sum::<u64>();
    let totals = |routes: &Routes| -> BTreeMap<String, u64> {
        let totals = routes.iter();
        totals
            .map(|(route, codes)| (route.clone(), total(codes)))
            .collect()
    };
    assert_eq!(totals(&gateway), totals(&capture));
    for (route, theirs) in &gateway {
        let ours = &capture[route];
        let left = |codes: &BTreeMap<String, u64>| codes.get("499").copied().unwrap_or_default();
        let most = left(theirs).max(left(ours));
        for code in theirs.keys().chain(ours.keys()) {
            let [a, b] = [theirs, ours].map(|codes| codes.get(code).copied().unwrap_or_default());
            assert!(
                a.abs_diff(b) <= most,
                "{route} {code}: the gateway counts {theirs:?}, the capture {ours:?}"
            );
        }
    }
}

type Routes = BTreeMap<String, BTreeMap<String, u64>>;

/// Requests by method and route, and then by code.
fn by_route(scrape: &Scrape) -> Routes {
    let mut routes = Routes::new();
    for sample in scrape.samples(COUNT, &[]) {
        let [method, route, code] =
            ["method", "route", "code"].map(|name| sample.label(name).unwrap());
        let codes = routes.entry(format!("{method} {route}")).or_default();
        if sample.value > 0.0 {
            *codes.entry(code.to_owned()).or_default() += sample.value as u64;
        }
    }
    routes.retain(|_, codes| !codes.is_empty());
    routes
}
