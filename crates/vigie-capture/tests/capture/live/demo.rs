//! The demo backend and its players, on the loopback interface.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use vigie_testkit::demo::ROUTES;
use vigie_testkit::{Postgres, Process, Redis, SOON, Script, eventually};

use super::{Live, settings};
use crate::readings;

/// The time until the players are done.
const GAME: Duration = Duration::from_secs(1_200);

struct Stage {
    backend: Process,
    port: u16,
    _servers: (Postgres, Redis),
}

async fn stage() -> Stage {
    let (postgres, redis) = tokio::join!(Postgres::start(), Redis::start());
    let (postgres, redis) = (postgres.unwrap(), redis.unwrap());
    let backend = Script::truth_backend(&postgres.url(), &redis.url())
        .env("SOCKET_PING_INTERVAL", "2000")
        .env("SOCKET_PING_TIMEOUT", "8000")
        .env("SOCKET_UPGRADE_TIMEOUT", "8000");
    let (backend, port) = backend.listen().await.unwrap();
    Stage {
        backend,
        port,
        _servers: (postgres, redis),
    }
}

#[tokio::test]
async fn every_request_of_the_players_counts_once() {
    let stage = stage().await;
    let listen = format!(":{}", stage.port);
    let Some(live) = Live::start(&settings(&[&listen]), &ROUTES) else {
        return;
    };
    let target = format!("http://127.0.0.1:{}", stage.port);
    let arguments = [
        "--target",
        &target,
        "--requests",
        "1500",
        "--players",
        "12",
        "--quiet-sockets",
    ];
    let mut players = Script::new("traffic/traffic.js")
        .args(arguments)
        .spawn()
        .unwrap();
    let tally = players.next_json(GAME).await.unwrap();
    assert_eq!(
        (&tally["errors"], &tally["refused"]),
        (&json!(0), &json!(0)),
        "{tally}"
    );
    let number = |value: &Value| value.as_u64().unwrap();

    // A client that leaves is seen when its connection ends.
    live.until_requests(number(&tally["sent"])).await;
    let mut expected = BTreeMap::<(String, String), u64>::new();
    let mut found = BTreeMap::<(String, String), u64>::new();
    for (template, outcomes) in tally["byTemplate"].as_object().unwrap() {
        let template = match template.split_once(" /reports/") {
            Some((method, _)) => format!("{method} /reports/*"),
            None => template.clone(),
        };
        for (outcome, times) in outcomes.as_object().unwrap() {
            let code = if outcome == "aborted" { "499" } else { outcome };
            *expected
                .entry((template.clone(), code.to_owned()))
                .or_default() += number(times);
        }
    }
    for ((method, route, code), times) in readings::requests(&live.registry) {
        *found
            .entry((format!("{method} {route}"), code))
            .or_default() += times;
    }
    // The players do not tell the codes of unmatched requests from others of the route.
    assert_eq!(found, expected);
    assert_eq!(
        live.value("vigie_capture_packets_dropped_total", &[]),
        Some(0.0)
    );
    assert_eq!(live.value("vigie_requests_abandoned_total", &[]), Some(0.0));
    live.stop();
}

#[tokio::test]
async fn the_sessions_are_those_of_the_server() {
    let mut stage = stage().await;
    let listen = format!("lo:{}", stage.port);
    let Some(live) = Live::start(&settings(&[&listen]), &[]) else {
        return;
    };
    let target = format!("http://127.0.0.1:{}", stage.port);
    let arguments = ["--target", &target, "--sessions", "120", "--seconds", "10"];
    let mut sessions = Script::new("testing/sessions.js")
        .args(arguments)
        .spawn()
        .unwrap();

    let clients = json!({"cmd": "clients"});
    let gauge = || live.value("socket_active_connections", &[]);
    let (mut equal, mut peak) = (0, 0.0_f64);
    let played = loop {
        let (before, truth) = (gauge(), stage.backend.ask(&clients, SOON).await.unwrap());
        // The kernel hands packets over after some milliseconds.
        tokio::time::sleep(Duration::from_millis(150)).await;
        let again = stage.backend.ask(&clients, SOON).await.unwrap();
        if truth["clientsCount"] == again["clientsCount"] && before == gauge() {
            let truth = truth["clientsCount"].as_f64();
            equal += u32::from(gauge() == truth);
            peak = peak.max(truth.unwrap_or(0.0));
        }
        if let Ok(played) = sessions.next_json(Duration::from_millis(20)).await {
            break played;
        }
    };
    eventually(SOON, async || {
        let truth = stage.backend.ask(&clients, SOON).await.unwrap();
        let ended = truth["clientsCount"] == 0 && gauge() == Some(0.0);
        if ended {
            Ok(())
        } else {
            Err(format!("{:?} shown, {truth}", gauge()))
        }
    })
    .await;
    eprintln!("{equal} samples equal, at most {peak} sessions; {played}");
    assert!(equal > 0 && peak > 5.0, "{equal} equal, at most {peak}");
    let unseen = live.value("vigie_capture_packets_dropped_total", &[]);
    assert_eq!(unseen, Some(0.0));
    live.stop();
}
