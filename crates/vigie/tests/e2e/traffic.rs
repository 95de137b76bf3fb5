//! The five metrics change under the traffic of the backend's players, and count every request exactly once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use vigie_testkit::demo::ROUTES;
use vigie_testkit::promtext::{Format, Kind, Scrape};
use vigie_testkit::{Process, SOON, Script, eventually};

use crate::common::{Stage, Vigie};
use crate::source::{Source, for_each_source};

/// The time until the players are done.
const GAME: Duration = Duration::from_secs(1_200);
const REQUESTS: u32 = 1_500;

const DURATION: &str = "http_request_duration_seconds";
pub(crate) const COUNT: &str = "http_request_duration_seconds_count";
const ERRORS: &str = "http_requests_errors_total";
const JOBS: &str = "queue_jobs_total";
const TICK: &str = "production_tick_duration_seconds";
pub(crate) const SOCKETS: &str = "socket_active_connections";
const ROUTE: [&str; 3] = ["method", "route", "code"];

/// Responses that a route needs before it has its own label.
const UNTIL_LEARNED: u64 = 5;
/// Guilds and resources have names, not ids: each is a route that is learned separately.
const NAMES: u64 = 5;

for_each_source!(
    the_five_metrics_move_and_every_request_counts_once,
    with_configured_routes_every_template_counts_like_its_players,
);

async fn the_five_metrics_move_and_every_request_counts_once(source: Source) {
    // Silent players time out within seconds, and not after engine.io's 45.
    let pings = [
        ("SOCKET_PING_INTERVAL", "3000"),
        ("SOCKET_PING_TIMEOUT", "2000"),
    ];
    let mut stage = Stage::set_for(source, &pings, "").await;
    let vigie = &stage.vigie;
    let at_rest = vigie.scrape().await;
    assert_eq!(at_rest.sum(COUNT, &[]), 0.0, "requests before the first");
    assert_eq!(at_rest.value(SOCKETS, &[]), Some(0.0));

    let mut players = play(stage.entry(), &[]);
    let early = moved(vigie, &at_rest).await;
    let later = moved(vigie, &early).await;
    for format in [Format::Text, Format::OpenMetrics] {
        has_the_shape(&vigie.scrape_as(format).await, format);
    }
    let tally = tally(&mut players).await;
    let scrape = settled(vigie, &tally).await;
    assert!(scrape.sum(COUNT, &[]) > later.sum(COUNT, &[]));
    outcomes_are_right(source, &scrape, &tally);
    learned_routes_are_right(vigie, &scrape, &tally).await;
    let clients = json!({"cmd": "clients"});
    eventually(SOON, async || {
        let open = vigie.scrape().await.value(SOCKETS, &[]);
        let truth = stage.backend.ask(&clients, SOON).await.unwrap();
        if open == Some(0.0) && truth["clientsCount"] == 0 {
            Ok(())
        } else {
            Err(format!("{open:?} sockets after the game, {truth}"))
        }
    })
    .await;
    stage.end().await;
}

async fn with_configured_routes_every_template_counts_like_its_players(source: Source) {
    let stage = Stage::set().await;
    let routes = format!("routes = {ROUTES:?}\n");
    let vigie = Vigie::start(&source.section(stage.app, &routes)).await;
    let entry = source.entry(&vigie, stage.app);
    let mut players = play(entry, &["--quiet-sockets", "--seed", "2"]);
    let tally = tally(&mut players).await;
    let scrape = settled(&vigie, &tally).await;
    outcomes_are_right(source, &scrape, &tally);

    let mut expected = BTreeMap::<String, u64>::new();
    for (template, outcomes) in tally["byTemplate"].as_object().unwrap() {
        let template = match template.split_once(" /reports/") {
            Some((method, _)) => format!("{method} /reports/*"),
            None => template.clone(),
        };
        let requests: u64 = outcomes.as_object().unwrap().values().map(number).sum();
        *expected.entry(template).or_default() += requests;
    }
    assert_eq!(by_template(&scrape), expected);
    vigie.stop().await;
    stage.end().await;
}

/// The backend's players, who count their requests.
pub(crate) fn play(entry: SocketAddr, more: &[&str]) -> Process {
    let (target, requests) = (format!("http://{entry}"), REQUESTS.to_string());
    let arguments = [
        "--target",
        &target,
        "--requests",
        &requests,
        "--players",
        "12",
    ];
    let script = Script::new("traffic/traffic.js").args(arguments);
    script.args(more.iter().copied()).spawn().unwrap()
}

/// The players' counts of requests and outcomes.
pub(crate) async fn tally(players: &mut Process) -> Value {
    let tally = players.next_json(GAME).await.unwrap();
    assert_eq!(
        tally["errors"], 0,
        "requests without a whole answer: {tally}"
    );
    assert_eq!(tally["refused"], 0, "connections refused: {tally}");
    tally
}

/// Waits until each of the five has changed since `before`.
async fn moved(vigie: &Vigie, before: &Scrape) -> Scrape {
    let ended = [("queue", "mail"), ("state", "completed")];
    eventually(SOON, async || {
        let now = vigie.scrape().await;
        let grew = |name, labels: &[_]| now.sum(name, labels) > before.sum(name, labels);
        let what = [
            (COUNT, grew(COUNT, &[])),
            (ERRORS, grew(ERRORS, &[])),
            (JOBS, grew(JOBS, &ended)),
            (TICK, grew("production_tick_duration_seconds_count", &[])),
            (SOCKETS, now.value(SOCKETS, &[]) > Some(0.0)),
        ];
        match what.iter().find(|(_, moved)| !moved) {
            None => Ok(now),
            Some((name, _)) => Err(format!("{name} has not moved")),
        }
    })
    .await
}

/// Asserts types and labels of the five as the specification defines them.
fn has_the_shape(scrape: &Scrape, format: Format) {
    let errors = match format {
        Format::Text => ERRORS,
        // In OpenMetrics the suffix of a counter belongs to its samples.
        Format::OpenMetrics => "http_requests_errors",
    };
    let families: [(&str, Kind, &[&str]); 5] = [
        (DURATION, Kind::Histogram, &ROUTE),
        (errors, Kind::Counter, &ROUTE),
        (JOBS, Kind::Unknown, &["queue", "state"]),
        (TICK, Kind::Histogram, &[]),
        (SOCKETS, Kind::Gauge, &[]),
    ];
    for (name, kind, labels) in families {
        let family = scrape.family(name).unwrap();
        assert_eq!(family.kind, kind, "{name} in {format:?}");
        assert!(
            !family.help.is_empty() && !family.samples.is_empty(),
            "{name}"
        );
        for sample in &family.samples {
            let found = sample.labels.iter().map(|(name, _)| name.as_str());
            let found: Vec<_> = found.filter(|name| *name != "le").collect();
            assert_eq!(found, labels, "{sample:?} in {format:?}");
        }
    }
    let mut states: Vec<_> = scrape
        .samples(JOBS, &[("queue", "production")])
        .map(|sample| sample.label("state").unwrap())
        .collect();
    states.sort_unstable();
    let all = "active completed delayed failed paused prioritized waiting waiting-children";
    assert_eq!(states.join(" "), all);
}

/// Once no request is open, exactly the sent requests are counted, and the counts stay.
pub(crate) async fn settled(vigie: &Vigie, tally: &Value) -> Scrape {
    let sent = number(&tally["sent"]);
    assert_eq!(sent, u64::from(REQUESTS));
    let is_all = async || {
        let scrape = vigie.scrape().await;
        let counted = scrape.sum(COUNT, &[]);
        let open = scrape.value("vigie_gateway_requests_in_flight", &[]);
        match (counted == sent as f64, open) {
            (true, Some(0.0)) => Ok(scrape),
            _ => Err(format!(
                "{counted} of {sent} counted, {open:?} open: {tally}"
            )),
        }
    };
    eventually(SOON, is_all).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    is_all().await.unwrap()
}

/// Codes are those that the players received. A player who disconnects may have missed the last byte of a complete
/// response: then its code is counted, and 499 otherwise.
fn outcomes_are_right(source: Source, scrape: &Scrape, tally: &Value) {
    let mut seen = BTreeMap::<String, u64>::new();
    for outcomes in tally["byTemplate"].as_object().unwrap().values() {
        for (outcome, requests) in outcomes.as_object().unwrap() {
            *seen.entry(outcome.clone()).or_default() += number(requests);
        }
    }
    let left = seen.remove("aborted").unwrap_or_default();
    assert!(left > 0 && left == number(&tally["aborted"]), "{tally}");
    let mut counted = BTreeMap::<String, u64>::new();
    for sample in scrape.samples(COUNT, &[]) {
        let code = sample.label("code").unwrap().to_owned();
        *counted.entry(code).or_default() += sample.value as u64;
    }
    let gone = counted.remove("499").unwrap_or_default();
    let mut whole = 0;
    for (code, requests) in &counted {
        let answered = seen.remove(code).unwrap_or_default();
        assert!(
            *requests >= answered,
            "{code}: {requests} counted, {answered} answered"
        );
        whole += requests - answered;
    }
    assert!(
        seen.is_empty(),
        "seen by the players and not counted: {seen:?}"
    );
    assert!(gone > 0, "nobody was counted as gone: {counted:?}");
    assert_eq!(gone + whole, left, "{counted:?} {tally}");
    eprintln!("{left} players left: {gone} are 499, {whole} had been sent a whole answer");

    let failed: u64 = counted
        .range("500".to_owned()..)
        .map(|(_, requests)| requests)
        .sum();
    assert!(failed > 0, "the route that fails did not: {counted:?}");
    assert_eq!(scrape.sum(ERRORS, &[]), failed as f64);
    for sample in scrape.samples(ERRORS, &[]) {
        let labels: Vec<_> = ROUTE
            .iter()
            .map(|name| (*name, sample.label(name).unwrap()))
            .collect();
        assert_eq!(
            scrape.value(COUNT, &labels),
            Some(sample.value),
            "{sample:?}"
        );
    }
    source.is_faultless(scrape);
}

/// Without configuration the learned routes are exactly the app's, and are learned at once.
async fn learned_routes_are_right(vigie: &Vigie, scrape: &Scrape, tally: &Value) {
    let mut templates = BTreeMap::<&str, (u64, u64)>::new();
    for (template, outcomes) in tally["byTemplate"].as_object().unwrap() {
        let path = match template.split_once(' ').unwrap() {
            // The app has the path for other methods; routes are learned for all methods.
            ("DELETE", "<unmatched>") => "/players",
            (_, "<unmatched>") => continue,
            (_, path) => path,
        };
        let (taught, all) = templates.entry(path).or_default();
        for (outcome, requests) in outcomes.as_object().unwrap() {
            *all += number(requests);
            if outcome.starts_with(['2', '3']) {
                *taught += number(requests);
            }
        }
    }
    let mut routes = BTreeMap::<&str, u64>::new();
    for sample in scrape.samples(COUNT, &[]) {
        let route = sample.label("route").unwrap();
        *routes.entry(route).or_default() += sample.value as u64;
    }
    let folded = ["<other>", "<unmatched>"].map(|route| routes.remove(route));
    assert!(folded.iter().all(Option::is_some), "{folded:?}");

    let page = vigie.get("/routes").await.text();
    for route in routes.keys() {
        let of = templates.keys().filter(|template| is_of(route, template));
        assert_eq!(
            of.count(),
            1,
            "{route} is not one of the app's: {templates:?}"
        );
        assert!(
            page.contains(&format!("  {route:?},\n")),
            "{route} is not in {page}"
        );
    }
    for (template, (taught, all)) in templates {
        let of = routes.iter().filter(|(route, _)| is_of(route, template));
        let counted: u64 = of.map(|(_, requests)| requests).sum();
        let names = if template.contains(":guild") || template.contains(":resource") {
            NAMES
        } else {
            1
        };
        let least = taught.saturating_sub((UNTIL_LEARNED - 1) * names);
        let what = format!("{template}: {counted} counted, {taught} taught, {all} sent");
        assert!((least..=all).contains(&counted), "{what} {routes:?}");
    }
}

/// Whether a learned route belongs to this template.
fn is_of(route: &str, template: &str) -> bool {
    let (route, template) = (route.split('/'), template.split('/'));
    let fits = |(found, wanted): (&str, &str)| wanted.starts_with(':') || found == wanted;
    route.clone().count() == template.clone().count() && route.zip(template).all(fits)
}

/// Requests by method and route.
fn by_template(scrape: &Scrape) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for sample in scrape.samples(COUNT, &[]) {
        let [method, route] = ["method", "route"].map(|name| sample.label(name).unwrap());
        *counted.entry(format!("{method} {route}")).or_default() += sample.value as u64;
    }
    counted
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}
