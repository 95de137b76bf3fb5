//! Gateway and capture count the same, on the same traffic: 100,000 requests, and 300 sessions of every kind.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};
use vigie_testkit::demo::ROUTES;
use vigie_testkit::http::Connection;
use vigie_testkit::promtext::Scrape;
use vigie_testkit::{Process, SOON, Script, eventually};

use crate::common::{Stage, Vigie};
use crate::sockets;
use crate::source::Source;
use crate::traffic::{COUNT, SOCKETS, play, tally};

/// Requests of the fast clients, who pipeline them.
const REQUESTS: usize = 100_800;
const CLIENTS: usize = 12;
/// The requests that a client sends before it reads the responses. None needs the database, so that the app is fast.
const BATCH: [(&str, &str, u16); 12] = [
    ("GET", "/", 200),
    ("GET", "/players/nobody", 400),
    ("HEAD", "/players/nobody", 400),
    ("POST", "/orders", 400),
    ("GET", "/market/moonlight", 404),
    ("GET", "/", 200),
    ("PATCH", "/players/nobody", 400),
    ("POST", "/admin/block?ms=0", 200),
    ("GET", "/wp-login.php", 404),
    ("DELETE", "/players", 404),
    ("GET", "/guilds/nobodies/members", 404),
    ("GET", "/orders/none", 400),
];
/// Abandoned sessions, which the server counts until their timeout.
const ABANDONED: u64 = 25;

#[tokio::test]
#[cfg_attr(not(tests_capture), ignore = "needs CAP_NET_RAW")]
async fn capture_and_gateway_count_the_same_requests_and_sessions() {
    let mut stage = Stage::set_with(&sockets::TIMERS).await;
    let app = stage.app;
    let routes = format!("routes = {ROUTES:?}\n");
    let gateway = Vigie::start(&Source::Gateway.section(app, &routes)).await;
    // It sees the connections of the gateway to the app.
    let capture = Vigie::start(&Source::Capture.section(app, &routes)).await;
    let entry = gateway.gateway;

    let mut players = play(entry, &["--seed", "3"]);
    let played = sockets::play(&mut stage.backend, entry).await;
    sockets::assert_all_kinds(&played);
    // Not at the same time: on a busy machine the sessions would not get an answer in time.
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(ask(entry, REQUESTS / CLIENTS / BATCH.len())))
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let tally = tally(&mut players).await;
    let sent = REQUESTS as u64 + tally["sent"].as_u64().unwrap();
    let (theirs, ours) = (settled(&gateway, sent).await, settled(&capture, sent).await);
    Source::Gateway.is_faultless(&theirs);
    Source::Capture.is_faultless(&ours);
    compare(&theirs, &ours);

    both_show_the_servers_count(&mut stage.backend, &gateway, &capture, |count| count == 0).await;
    let target = format!("http://{entry}");
    let crowd = Script::new("testing/crowd.js").args(["--target", &target]);
    let mut crowd = crowd.spawn().unwrap();
    let open = json!({"cmd": "open", "n": ABANDONED});
    crowd.ask(&open, SOON).await.unwrap();
    both_show_the_servers_count(&mut stage.backend, &gateway, &capture, |count| count > 0).await;
    both_show_the_servers_count(&mut stage.backend, &gateway, &capture, |count| count == 0).await;
    capture.stop().await;
    gateway.stop().await;
    stage.end().await;
}

/// Sends batches of pipelined requests on one connection.
async fn ask(entry: SocketAddr, batches: usize) {
    let mut connection = Connection::open(entry).await.unwrap().deadline(SOON);
    let request = |(method, path, _): &(&str, &str, u16)| match *method {
        "POST" | "PATCH" => format!(
            "{method} {path} HTTP/1.1\r\nhost: game\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        ),
        _ => format!("{method} {path} HTTP/1.1\r\nhost: game\r\n\r\n"),
    };
    let batch: String = BATCH.iter().map(request).collect();
    for _ in 0..batches {
        connection.send(batch.as_bytes()).await.unwrap();
        for (method, path, status) in BATCH {
            let response = match method {
                "HEAD" => connection.head_response().await,
                _ => connection.response().await,
            };
            assert_eq!(response.unwrap().status, status, "{method} {path}");
        }
    }
}

/// Waits until exactly the sent requests are counted, and none is open.
async fn settled(vigie: &Vigie, sent: u64) -> Scrape {
    eventually(SOON, async || {
        let scrape = vigie.scrape().await;
        let counted = scrape.sum(COUNT, &[]);
        let open = scrape.value("vigie_gateway_requests_in_flight", &[]);
        match (counted == sent as f64, open) {
            (true, Some(0.0)) => Ok(scrape),
            _ => Err(format!("{counted} of {sent} counted, {open:?} open")),
        }
    })
    .await
}

/// Waits until the server's count is as expected, and both gauges equal it.
async fn both_show_the_servers_count(
    backend: &mut Process,
    gateway: &Vigie,
    capture: &Vigie,
    is_expected: impl Fn(u64) -> bool,
) {
    let clients = json!({"cmd": "clients"});
    eventually(SOON, async || {
        let truth: Value = backend.ask(&clients, SOON).await.unwrap();
        let truth = truth["clientsCount"].as_u64().unwrap();
        let through = gateway.scrape().await.value(SOCKETS, &[]);
        let captured = capture.scrape().await.value(SOCKETS, &[]);
        let equal = through == Some(truth as f64) && captured == through;
        (equal && is_expected(truth)).then_some(()).ok_or(format!(
            "{truth} sessions, {through:?} through the gateway, {captured:?} captured"
        ))
    })
    .await;
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
