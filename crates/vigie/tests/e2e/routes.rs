//! Routes without configuration: late and failing ones are named, and all of them survive a restart.

use std::net::SocketAddr;

use tempfile::TempDir;
use vigie_testkit::http::Connection;
use vigie_testkit::{Fault, FaultServer, SOON, eventually, faults};

use crate::common::Vigie;
use crate::source::{Source, for_each_source};

const COUNT: &str = "http_request_duration_seconds_count";

async fn app(status: u16) -> FaultServer {
    let answer = Fault::Answer(faults::http_answer(status, "x"));
    FaultServer::start(answer).await.unwrap()
}

async fn answers(app: &FaultServer, status: u16) {
    app.set(Fault::Answer(faults::http_answer(status, "x")))
        .await;
}

/// Sends requests on one connection.
async fn send(entry: SocketAddr, method: &str, paths: impl Iterator<Item = String>) {
    let mut client = Connection::open(entry).await.unwrap();
    for path in paths {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\n\r\n");
        client.send(head.as_bytes()).await.unwrap();
        client.response().await.unwrap();
    }
}

/// The requests recorded under a route.
async fn recorded(vigie: &Vigie, route: &str) -> f64 {
    vigie.scrape().await.sum(COUNT, &[("route", route)])
}

async fn until_recorded(vigie: &Vigie, route: &str, requests: f64) {
    eventually(SOON, async || match recorded(vigie, route).await {
        found if found == requests => Ok(()),
        found => Err(format!("{found} requests of {route}")),
    })
    .await;
}

/// The value of every sample of the history.
async fn samples(vigie: &Vigie, series: &str) -> Vec<f64> {
    let path = format!("/api/v1/query?query={series}%5B1h%5D");
    let answer = vigie.get(&path).await.json().unwrap();
    let values = answer.pointer("/data/result/0/values");
    let values = values.and_then(|values| values.as_array()).cloned();
    let values = values.unwrap_or_default().into_iter();
    values
        .map(|sample| sample[1].as_str().unwrap().parse().unwrap())
        .collect()
}

for_each_source!(
    the_first_burst_after_a_restart_is_counted_under_its_route_and_seen_by_increase,
    an_important_route_is_learned_despite_three_hundred_paths,
);

async fn the_first_burst_after_a_restart_is_counted_under_its_route_and_seen_by_increase(
    source: Source,
) {
    let directory = TempDir::new().unwrap();
    let history = directory.path().join("history");
    let app = app(500).await;
    let section = source.section(app.addr(), "");
    let mut vigie = Vigie::start(&format!("{section}[history]\npath = {history:?}\n")).await;
    let entry = source.entry(&vigie, app.addr());
    send(entry, "POST", (0..20).map(|_| "/reports".to_owned())).await;
    answers(&app, 200).await;
    let orders = |numbers: std::ops::Range<u32>| numbers.map(|n| format!("/orders/{n}"));
    send(entry, "GET", orders(0..20)).await;
    let file = history.join("gateway.routes");
    eventually(SOON, async || {
        let saved = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
        let is_whole = ["series GET 200 /orders/:id\n", "series POST 500 /reports\n"]
            .iter()
            .all(|line| saved.contains(line));
        is_whole.then_some(()).ok_or(saved)
    })
    .await;

    vigie.kill9_and_restart().await;
    let scrape = vigie.scrape().await;
    let value = |name, method, route, code| {
        let labels = [("method", method), ("route", route), ("code", code)];
        scrape.value(name, &labels)
    };
    assert_eq!(value(COUNT, "GET", "/orders/:id", "200"), Some(0.0));
    let errors = "http_requests_errors_total";
    assert_eq!(value(errors, "POST", "/reports", "500"), Some(0.0));

    send(entry, "GET", orders(100..101)).await;
    answers(&app, 500).await;
    send(entry, "POST", (0..40).map(|_| "/reports".to_owned())).await;
    until_recorded(&vigie, "/reports", 40.0).await;
    assert_eq!(recorded(&vigie, "/orders/:id").await, 1.0);
    assert_eq!(recorded(&vigie, "<other>").await, 0.0);
    let series = "http_requests_errors_total%7Broute=%22/reports%22%7D";
    eventually(SOON, async || {
        let samples = samples(&vigie, series).await;
        match &samples[..] {
            [.., 0.0, 40.0] | [.., 0.0, 40.0, 40.0] => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    // Extrapolated, so it may be greater.
    let path = format!("/api/v1/query?query=increase({series}%5B1h%5D)");
    let answer = vigie.get(&path).await.json().unwrap();
    let increase = answer.pointer("/data/result/0/value/1").unwrap();
    let increase: f64 = increase.as_str().unwrap().parse().unwrap();
    assert!(increase >= 40.0, "{answer}");
    vigie.stop().await;
}

async fn an_important_route_is_learned_despite_three_hundred_paths(source: Source) {
    let app = app(200).await;
    let sections = source.section(app.addr(), "");
    let vigie = Vigie::start(&sections).await;
    let entry = source.entry(&vigie, app.addr());
    let five_times = |n| std::iter::repeat_n(format!("/page-{}", letters(n)), 5);
    send(entry, "GET", (0..300).flat_map(five_times)).await;
    send(entry, "GET", (0..100).map(|n| format!("/checkout/{n}"))).await;
    answers(&app, 422).await;
    send(entry, "POST", (0..10).map(|_| "/coupons".to_owned())).await;
    // Requests before the route was learned are <other>.
    until_recorded(&vigie, "/checkout/:id", 51.0).await;
    until_recorded(&vigie, "/coupons", 6.0).await;
    let scrape = vigie.scrape().await;
    let routes = scrape.value("vigie_gateway_routes", &[]).unwrap();
    assert!(routes <= 152.0, "{routes}");

    // With the list as configuration, every listed route is named immediately.
    let page = vigie.get("/routes").await.text();
    assert!(page.contains("51  learned     /checkout/:id\n"), "{page}");
    assert!(
        page.contains("6  failing     /coupons  (only failures so far)\n"),
        "{page}"
    );
    assert!(page.contains("Most frequent under <other>"), "{page}");
    vigie.stop().await;
    let header = format!("[{}]\n", source.name());
    let page = page.replace(&header, &sections);
    let pasted = Vigie::start(&page).await;
    let entry = source.entry(&pasted, app.addr());
    send(entry, "POST", ["/coupons".to_owned()].into_iter()).await;
    until_recorded(&pasted, "/coupons", 1.0).await;
    let again = pasted.get("/routes").await.text();
    assert_eq!(setting(&again), setting(&page.replace(&sections, &header)));
    pasted.stop().await;
}

/// The part of the page to paste.
fn setting(page: &str) -> &str {
    page.split_once("]\n\n").unwrap().0
}

/// A number in letters, since a segment with digits counts as a parameter.
fn letters(n: u32) -> String {
    let letter = |digit: char| char::from(b'a' + digit.to_digit(10).unwrap() as u8);
    n.to_string().chars().map(letter).collect()
}
