//! Any single command is disabled, denied, or answered with an unexpected reply: only dependent metrics are absent.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use vigie_testkit::{Redis, RedisOptions, RedisProxy, Replacement, Scrape, eventually};

use crate::signals::{Driven, hours};
use crate::support::{SOON, Watched, settings, watch};

const PONG: &str = "+PONG\r\n";
const EMPTY: &str = "*0\r\n";
const NUMBER: &str = ":1\r\n";
const NIL: &str = "$-1\r\n";
const TEXT: &str = "$44\r\nan answer that no command of the watcher has\r\n";
const GARBAGE: [&str; 5] = [PONG, EMPTY, NUMBER, NIL, TEXT];

const AGES: &str = "bullmq_oldest_waiting_age_seconds";
const ACTIVE_AGE: &str = "bullmq_oldest_active_age_seconds";
const CHILDREN_AGE: &str = "bullmq_oldest_waiting_children_age_seconds";
const PAUSED_FOR: &str = "bullmq_queue_paused_seconds";
const LOCKS: &str = "bullmq_active_without_lock";
const OVERDUE: &str = "bullmq_delayed_overdue";
const LATE: &str = "bullmq_scheduler_late_seconds";
const LIMITED: &str = "bullmq_rate_limited";
const RESET: &str = "bullmq_rate_limit_reset_seconds";
const PAUSED: &str = "bullmq_queue_paused";
const WORKERS: &str = "bullmq_workers";
const SCHEDULERS: &str = "bullmq_schedulers";
const EXACT: &str = "bullmq_outcomes_exact";
const RETAINED: &str = "bullmq_jobs_retained";
const LEVELS: &str = "bullmq_jobs";

/// All gauges of a queue.
const GAUGES: [&str; 15] = [
    AGES,
    ACTIVE_AGE,
    CHILDREN_AGE,
    PAUSED_FOR,
    LOCKS,
    OVERDUE,
    LATE,
    LIMITED,
    RESET,
    PAUSED,
    WORKERS,
    SCHEDULERS,
    EXACT,
    RETAINED,
    LEVELS,
];
/// Values that change with time.
const TIMES: [&str; 6] = [AGES, ACTIVE_AGE, CHILDREN_AGE, PAUSED_FOR, LATE, RESET];

/// A command, the metrics that depend on it, and replies of its type.
struct Case {
    command: &'static str,
    needed_by: &'static [&'static str],
    /// The states of the dependent levels.
    states: &'static [&'static str],
    undetectable: &'static [&'static str],
}

#[rustfmt::skip]
const CASES: [Case; 17] = [
    case("LLEN", &[LEVELS], &["waiting", "active", "paused"], &[NUMBER]),
    case("ZCARD", &[LEVELS, RETAINED, SCHEDULERS, LATE], &["prioritized", "delayed", "waiting-children"], &[NUMBER]),
    case("HMGET", &[LEVELS, PAUSED, PAUSED_FOR, LIMITED, LATE, AGES], &["waiting", "paused"], &[]),
    case("SCAN", &[], &[], &[]),
    case("PING", &[], &[], &GARBAGE),

    case("XREAD", &[EXACT, AGES, PAUSED_FOR], &[], &[EMPTY, NIL]),
    case("XINFO STREAM", &[EXACT, AGES, PAUSED_FOR], &[], &[]),
    case("XREVRANGE", &[PAUSED_FOR], &[], &[EMPTY]),
    case("HGET", &[ACTIVE_AGE], &[], &[NIL, TEXT]),

    case("TIME", &[AGES, ACTIVE_AGE, CHILDREN_AGE, PAUSED_FOR, OVERDUE, LATE], &[], &[]),
    case("LRANGE", &[AGES, ACTIVE_AGE, LOCKS], &[], &[EMPTY]),
    case("ZRANGEBYSCORE", &[OVERDUE, LATE, AGES, CHILDREN_AGE], &[], &[EMPTY]),
    case("ZCOUNT", &[OVERDUE], &[], &[NUMBER]),

    case("EXISTS", &[LOCKS, AGES], &[], &[NUMBER]),
    case("PTTL", &[LIMITED, RESET], &[], &[NUMBER]),
    case("GET", &[LIMITED, RESET], &[], &[NIL, TEXT]),
    case("CLIENT LIST", &[WORKERS], &[], &[]),
];

const fn case(
    command: &'static str,
    needed_by: &'static [&'static str],
    states: &'static [&'static str],
    undetectable: &'static [&'static str],
) -> Case {
    Case {
        command,
        needed_by,
        states,
        undetectable,
    }
}

impl Case {
    fn needs(&self, series: &(String, String, String)) -> bool {
        let (metric, _, state) = series;
        self.needed_by.contains(&metric.as_str())
            && (metric != LEVELS || self.states.contains(&state.as_str()))
    }
}

/// Values by metric, queue and state.
type Known = BTreeMap<(String, String, String), f64>;

fn known(scrape: &Scrape) -> Known {
    let mut known = Known::new();
    for metric in GAUGES {
        for sample in scrape.samples(metric, &[]) {
            let label = |name| sample.label(name).unwrap_or_default().to_owned();
            if label("queue") != "flow" {
                known.insert(
                    (metric.into(), label("queue"), label("state")),
                    sample.value,
                );
            }
        }
    }
    known
}

/// Compares with the truth, except for metrics that may be absent or, with replies of the right type, wrong.
fn compare(found: &Known, truth: &Known, case: &Case, detected: bool) -> Result<(), String> {
    for (series, value) in truth {
        let needs = case.needs(series);
        let is_time = TIMES.contains(&series.0.as_str()) && *value > 0.0;
        let is_right = match found.get(series) {
            None => needs,
            Some(_) if needs && !detected => true,
            Some(found) if is_time => *found > 0.0,
            Some(found) => found == value,
        };
        if !is_right {
            return Err(format!(
                "{series:?} is {:?}, not {value}",
                found.get(series)
            ));
        }
    }
    Ok(())
}

/// Creates queues in which each gauge has a value.
async fn fill(redis: &Redis) -> Vec<Driven> {
    let mut work = Driven::start(redis, "work").await;
    let hold = json!({"cmd": "work", "as": "hold"});
    work.ask(json!({"cmd": "add", "n": 4, "agoMs": hours(1.0).as_millis() as u64}))
        .await;
    work.ask(json!({"cmd": "add", "n": 2, "opts": {"priority": 3}}))
        .await;
    work.ask(json!({"cmd": "flow", "parent": "p", "child": "c", "agoMs": 1000}))
        .await;
    work.ask(hold).await;
    let mut late = Driven::start(redis, "late").await;
    late.ask(json!({"cmd": "add", "n": 2, "opts": {"delay": 10}}))
        .await;
    late.ask(json!({"cmd": "schedule", "id": "s", "repeat": {"every": 200}}))
        .await;
    let mut rest = Driven::start(redis, "rest").await;
    rest.ask(json!({"cmd": "add", "n": 3})).await;
    rest.ask(json!({"cmd": "pause"})).await;
    let mut limited = Driven::start(redis, "limited").await;
    limited.ask(json!({"cmd": "add", "n": 3})).await;
    let limiter = ["SET", "bull:limited:limiter", "5", "PX", "3600000"];
    redis.cli(&limiter).await.unwrap();
    redis
        .cli(&["HSET", "bull:limited:meta", "max", "5"])
        .await
        .unwrap();
    let mut flow = Driven::start(redis, "flow").await;
    flow.ask(json!({"cmd": "work"})).await;
    vec![flow, work, late, rest, limited]
}

/// The log lines of one thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn with(&self, words: &[&str]) -> usize {
        let text = self.text();
        text.lines()
            .filter(|line| words.iter().all(|word| line.contains(word)))
            .count()
    }
}

/// How a command fails.
#[derive(Clone, Debug)]
enum Way {
    Healthy,
    /// By an ACL of the user.
    Denied,
    /// By `rename-command`.
    Disabled,
    Garbage(&'static str),
}

impl Way {
    fn is_detected(&self, case: &Case) -> bool {
        match self {
            Self::Healthy => false,
            Self::Garbage(reply) => !case.undetectable.contains(reply),
            _ => true,
        }
    }
}

fn watch_through(proxy: &RedisProxy, user: &str) -> Watched {
    let mut settings = settings(&format!("redis://{user}{}", proxy.addr()));
    settings.signals_every = Duration::from_millis(200);
    settings.workers_every = Duration::from_millis(200);
    watch(settings)
}

/// Runs a watcher in a thread with a log of its own while the command fails. Returns the number of commands sent in 1.5
/// seconds.
fn failing(port: u16, case: &'static Case, way: Way, truth: &Arc<Known>) -> JoinHandle<usize> {
    let truth = Arc::clone(truth);
    tokio::task::spawn_blocking(move || {
        let lines = Lines::default();
        let log = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || log.clone());
        let _log = tracing::subscriber::set_default(subscriber.finish());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .unwrap()
            .block_on(fails(port, case, &way, &truth, &lines))
    })
}

/// Denies a command to a user of the server.
async fn deny(port: u16, user: &str, command: &str) {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut acl = redis::cmd("ACL");
    acl.arg("SETUSER").arg(user);
    acl.arg(format!("-{}", command.replace(' ', "|").to_lowercase()));
    let _: () = acl.query_async(&mut connection).await.unwrap();
}

async fn fails(port: u16, case: &Case, way: &Way, truth: &Known, lines: &Lines) -> usize {
    let proxy = RedisProxy::start(SocketAddr::from(([127, 0, 0, 1], port)))
        .await
        .unwrap();
    let context = format!("{} {way:?}", case.command);
    // Without a sweep no queue is found, so SCAN only fails after the first one.
    let is_late = case.command == "SCAN";
    let name = format!("no-{}", case.command.replace(' ', "-"));
    let user = match way {
        Way::Denied => format!("{name}:pass@"),
        _ => String::new(),
    };
    let fail = async || match way {
        Way::Denied => deny(port, &name, case.command).await,
        Way::Garbage(reply) => {
            let (command, reply) = (case.command.into(), reply.as_bytes().to_vec());
            proxy.set(Some(Replacement { command, reply })).await;
        }
        Way::Healthy | Way::Disabled => {}
    };
    if !is_late {
        fail().await;
    }
    let watched = watch_through(&proxy, &user);
    let detected = way.is_detected(case);
    let finds_none = is_late && matches!(way, Way::Disabled);
    let compare = || {
        let mut truth = truth.clone();
        if let Way::Disabled = way {
            // A replica has no workers.
            truth.retain(|(metric, ..), _| metric != WORKERS);
        }
        match finds_none {
            true => Ok(()),
            false => compare(&known(&watched.scrape()), &truth, case, detected),
        }
    };
    let settle = async || eventually(SOON, async || compare()).await;
    settle().await;
    if is_late {
        fail().await;
    }
    let up = |source: &str, needs: &[&str]| {
        let up = !(detected && needs.contains(&case.command));
        (source.to_owned(), f64::from(up))
    };
    for (source, up) in [
        up("redis", &["SCAN", "LLEN", "ZCARD"]),
        up("events", &["XREAD", "XINFO STREAM"]),
    ] {
        watched
            .until("vigie_source_up", &[("source", &source)], Some(up))
            .await;
        if up == 1.0
            && source == "events"
            && !finds_none
            && (case.command != "XREAD" || !matches!(way, Way::Garbage(_)))
        {
            let finished = || watched.sum("bullmq_jobs_finished_total", &[("queue", "flow")]);
            let before = finished();
            eventually(SOON, async || match finished() {
                now if now >= before + 3.0 => Ok(()),
                now => Err(format!("{context}: {before}, then {now} are finished")),
            })
            .await;
        }
    }
    let warnings = usize::from(detected);
    let of_command = format!("command=\"{}\"", case.command);
    eventually(SOON, async || match lines.with(&["WARN", &of_command]) {
        found if found == warnings => Ok(()),
        found => Err(format!("{context}: {found} warnings")),
    })
    .await;
    let before = proxy.commands();
    for _ in 0..15 {
        sleep(Duration::from_millis(100)).await;
        compare().unwrap_or_else(|wrong| panic!("{context}: {wrong}"));
    }
    let sent = proxy.commands() - before;
    // The first connections stay in use.
    assert_eq!(proxy.connections(), 2, "{context}");
    assert_eq!(
        lines.with(&["WARN"]),
        warnings,
        "{context}: {}",
        lines.text()
    );
    assert!(lines.with(&[]) < 10, "{context}: {}", lines.text());
    sent
}

async fn all_ways(cases: &'static [Case]) {
    let redis = Redis::start().await.unwrap();
    let mut queues = fill(&redis).await;
    let mut flow = queues.remove(0);
    let adding = async move {
        loop {
            flow.ask(json!({"cmd": "add", "name": "step", "opts": {"removeOnComplete": true}}))
                .await;
            sleep(Duration::from_millis(50)).await;
        }
    };
    let adding = tokio::spawn(adding);
    let truth = {
        let proxy = RedisProxy::start(SocketAddr::from(([127, 0, 0, 1], redis.port())))
            .await
            .unwrap();
        let watched = watch_through(&proxy, "");
        let expected = [
            ("work", "active", 1.0),
            ("work", "waiting", 4.0),
            ("work", "prioritized", 2.0),
            ("work", "waiting-children", 1.0),
            ("late", "delayed", 2.0),
            ("rest", "paused", 3.0),
        ];
        for (queue, state, jobs) in expected {
            watched.until_jobs(queue, state, Some(jobs)).await;
        }
        for (metric, queue, value) in [
            (OVERDUE, "late", 2.0),
            (LIMITED, "limited", 1.0),
            (WORKERS, "work", 1.0),
            (PAUSED, "rest", 1.0),
            (LIMITED, "work", 0.0),
            (WORKERS, "rest", 0.0),
            (EXACT, "rest", 1.0),
            (EXACT, "limited", 1.0),
        ] {
            watched
                .until(metric, &[("prefix", "bull"), ("queue", queue)], Some(value))
                .await;
        }
        eventually(SOON, async || {
            let known = known(&watched.scrape());
            let of = |metric: &str, queue: &str| {
                known
                    .get(&(metric.into(), queue.into(), String::new()))
                    .copied()
            };
            let missing = [
                (AGES, "work"),
                (ACTIVE_AGE, "work"),
                (CHILDREN_AGE, "work"),
                (PAUSED_FOR, "rest"),
                (LATE, "late"),
                (RESET, "limited"),
            ];
            match missing
                .iter()
                .find(|(metric, queue)| of(metric, queue).is_none_or(|age| age == 0.0))
            {
                Some(missing) => Err(format!("{missing:?}")),
                None => Ok(()),
            }
        })
        .await;
        known(&watched.scrape())
    };
    let truth = Arc::new(truth);
    let healthy = failing(redis.port(), &cases[0], Way::Healthy, &truth)
        .await
        .unwrap();
    for case in cases {
        let user = format!("no-{}", case.command.replace(' ', "-"));
        let rights = ["ACL", "SETUSER", &user, "on", ">pass", "~*", "&*", "+@all"];
        redis.cli(&rights).await.unwrap();
        let ways = GARBAGE.map(Way::Garbage).into_iter().chain([Way::Denied]);
        let mut running: Vec<_> = ways
            .map(|way| failing(redis.port(), case, way, &truth))
            .collect();
        let replica = replica_without(&redis, case.command).await;
        if let Some(replica) = &replica {
            running.push(failing(replica.port(), case, Way::Disabled, &truth));
        }
        for sent in running {
            let sent = sent.await.unwrap();
            assert!(
                sent < 3 * healthy + 100,
                "{}: {sent} commands, not {healthy}",
                case.command
            );
        }
    }
    adding.abort();
}

/// A replica with all data, but without the command. `None`: the test kit needs the command.
async fn replica_without(redis: &Redis, command: &str) -> Option<Redis> {
    let whole = command.split(' ').next().unwrap();
    if whole == "PING" {
        return None;
    }
    let port = redis.port().to_string();
    let args = [
        "--replicaof",
        "127.0.0.1",
        &port,
        "--rename-command",
        whole,
        "",
    ];
    let args = args.map(String::from).to_vec();
    let options = RedisOptions {
        args,
        ..RedisOptions::default()
    };
    let replica = Redis::start_with(options).await.unwrap();
    eventually(SOON, async || {
        match replica.cli(&["DBSIZE"]).await.unwrap().as_str() {
            "0" => Err("no keys yet".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    Some(replica)
}

#[tokio::test]
async fn levels_without_a_command() {
    all_ways(&CASES[..5]).await;
}

#[tokio::test]
async fn events_without_a_command() {
    all_ways(&CASES[5..9]).await;
}

#[tokio::test]
async fn ages_without_a_command() {
    all_ways(&CASES[9..13]).await;
}

#[tokio::test]
async fn other_signals_without_a_command() {
    all_ways(&CASES[13..]).await;
}

/// Some proxies close the connection on an unknown command. Such a command is then sent rarely, and levels stay.
#[tokio::test]
async fn a_command_that_closes_the_connection_does_not_take_the_levels_with_it() {
    let redis = Redis::start().await.unwrap();
    let mut queue = Driven::start(&redis, "work").await;
    queue.ask(json!({"cmd": "add", "n": 3})).await;
    let target = SocketAddr::from(([127, 0, 0, 1], redis.port()));
    let proxy = RedisProxy::start(target).await.unwrap();
    let (command, reply) = ("CLIENT LIST".to_owned(), Vec::new());
    proxy.set(Some(Replacement { command, reply })).await;
    let watched = watch_through(&proxy, "");
    let levels = [("queue", "work"), ("state", "waiting")];
    // The command is tried a few times.
    eventually(SOON, async || match proxy.connections() {
        0..4 => Err("not yet".to_owned()),
        _ => Ok(()),
    })
    .await;
    watched.until("queue_jobs_total", &levels, Some(3.0)).await;
    // Soon the command is sent so rarely that no connection is closed for a while, and the level stays.
    eventually(SOON, async || {
        let connections = proxy.connections();
        for _ in 0..15 {
            sleep(Duration::from_millis(100)).await;
            let found = (
                watched.value("queue_jobs_total", &levels),
                proxy.connections(),
            );
            if found != (Some(3.0), connections) {
                return Err(format!("{found:?}"));
            }
        }
        Ok(())
    })
    .await;
}
