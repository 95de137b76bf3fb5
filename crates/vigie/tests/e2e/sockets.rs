//! `socket_active_connections` follows the server's `io.engine.clientsCount` through 300 sessions of every kind, and equals it
//! at the end.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use vigie_testkit::http::Connection;
use vigie_testkit::{Process, SOON, Script, eventually};

use crate::common::Stage;
use crate::source::{Source, for_each_source};

const SESSIONS: u64 = 300;
const KINDS: usize = 10;
const SECONDS: &str = "20";
/// A change of the server's count shows in the gauge within this time, however busy the machine is. On an idle one it takes
/// some milliseconds; that the gauge is not merely near is judged by the exact polls.
const WITHIN_MS: i64 = 10_000;
/// A poll is compared exactly if the server's count was the same, and above this, when it was sent and when it was answered.
const MANY: i64 = 20;
/// The largest mean difference from the server's count, relative to the mean of that count.
const MEAN_ERROR: f64 = 0.25;
const LOOK_EVERY_MS: u64 = 2;
/// The server samples its count every 2 ms and may be up to 20 ms late without reporting it.
const REPORT_DELAY_MS: i64 = 25;
const POLL_EVERY: Duration = Duration::from_millis(10);
const ANSWER: Duration = SOON;
const GAUGE: &str = "socket_active_connections";

for_each_source!(the_gauge_is_the_servers_own_count);

/// The timers of the server: on a busy machine a client answers late.
pub(crate) const TIMERS: [(&str, &str); 3] = [
    ("SOCKET_PING_INTERVAL", "2000"),
    ("SOCKET_PING_TIMEOUT", "8000"),
    ("SOCKET_UPGRADE_TIMEOUT", "8000"),
];

async fn the_gauge_is_the_servers_own_count(source: Source) {
    let mut stage = Stage::set_for(source, &TIMERS, "").await;
    let watch = json!({"cmd": "watch", "everyMs": LOOK_EVERY_MS});
    stage.backend.ask(&watch, ANSWER).await.unwrap();
    let gauge = Gauge::watch(stage.vigie.admin);

    let entry = stage.entry();
    let played = play(&mut stage.backend, entry).await;
    eventually(ANSWER, async || {
        let clients = json!({"cmd": "clients"});
        let truth = stage.backend.ask(&clients, ANSWER).await.unwrap();
        let scrape = stage.vigie.scrape().await;
        let shown = scrape.value(GAUGE, &[]);
        let ended = truth["clientsCount"] == 0 && shown == Some(0.0);
        ended
            .then_some(())
            .ok_or(format!("{shown:?} shown, {truth}"))
    })
    .await;
    // Idle, and staying idle.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let polls = gauge.end();
    let truth = Truth::reported(&mut stage.backend).await;

    assert_all_kinds(&played);
    let verdict = truth.judge(&polls, WITHIN_MS);
    eprintln!("{verdict:#?}\n{played}");
    assert!(
        verdict.wrong.is_empty(),
        "the gauge was wrong {} times",
        verdict.wrong.len()
    );
    assert!(verdict.peak > 30 && verdict.judged > 100, "{verdict:?}");
    assert!(verdict.exact > 20, "{verdict:?}");
    assert!(
        verdict.mean_abs_error < MEAN_ERROR * verdict.mean,
        "{verdict:?}"
    );
    let scrape = stage.vigie.scrape().await;
    assert_eq!(
        scrape.value("socketio_sessions_untracked_total", &[]),
        Some(0.0)
    );
    // On a busy machine a ping can be later than its timeout, and the session continues.
    let adopted = scrape
        .value("socketio_sessions_adopted_total", &[])
        .unwrap();
    assert!(adopted * 20.0 <= SESSIONS as f64, "{adopted} adopted");
    stage.end().await;
}

/// Asserts that nearly all sessions were opened: on a busy machine some time out.
pub(crate) fn assert_all_kinds(played: &Value) {
    let opened = played["opened"].as_object().unwrap();
    assert_eq!(opened.len(), KINDS, "{played}");
    let opened: u64 = opened.values().map(|count| count.as_u64().unwrap()).sum();
    assert!(
        opened * 100 >= SESSIONS * 80,
        "too few sessions came to be: {played}"
    );
}

/// Sessions of all kinds, some of which the server disconnects.
pub(crate) async fn play(backend: &mut Process, entry: SocketAddr) -> Value {
    let (target, sessions) = (format!("http://{entry}"), SESSIONS.to_string());
    let arguments = [
        "--target",
        &target,
        "--sessions",
        &sessions,
        "--seconds",
        SECONDS,
        "--verbose",
    ];
    let mut script = Script::new("testing/sessions.js")
        .args(arguments)
        .spawn()
        .unwrap();
    let mut thrown_out = 0;
    for round in 0..300 {
        if let Ok(played) = script.next_json(Duration::from_millis(700)).await {
            assert!(thrown_out > 20, "only {thrown_out} were thrown out");
            return played;
        }
        // Alternately the namespace only and the whole connection.
        let command = json!({"cmd": "disconnectSockets", "n": 2, "close": round % 2 == 0});
        let answer = backend.ask(&command, ANSWER).await.unwrap();
        thrown_out += answer["disconnected"].as_u64().unwrap();
    }
    panic!("the sessions do not end: {}", script.tail());
}

/// The gauge as a scraper saw it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Poll {
    asked_ms: i64,
    answered_ms: i64,
    value: i64,
}

/// Scrapes continuously in a separate thread, so that the waits of the test do not delay it.
struct Gauge {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<Poll>>,
}

impl Gauge {
    fn watch(admin: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let watching = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(polls(admin, &until))
        };
        Self {
            stop,
            thread: std::thread::spawn(watching),
        }
    }

    fn end(self) -> Vec<Poll> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

async fn polls(admin: SocketAddr, stop: &AtomicBool) -> Vec<Poll> {
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {admin}\r\n\r\n");
    let mut connection = Connection::open(admin).await.unwrap();
    let mut polls = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let asked_ms = now_ms();
        connection.send(request.as_bytes()).await.unwrap();
        let page = connection.response().await.unwrap().text();
        let value = page
            .lines()
            .find_map(|line| line.strip_prefix(GAUGE)?.strip_prefix(' '));
        polls.push(Poll {
            asked_ms,
            answered_ms: now_ms(),
            value: value.unwrap().parse().unwrap(),
        });
        tokio::time::sleep(POLL_EVERY).await;
    }
    polls
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis().try_into().unwrap()
}

/// A change of the server's count, as reported by the server.
#[derive(Clone, Copy, Debug)]
struct Change {
    at_ms: i64,
    opened: i64,
    closed: i64,
    /// The count after the change.
    count: i64,
}

/// The server's count over time, and the periods in which it could not be sampled.
#[derive(Default)]
struct Truth {
    changes: Vec<Change>,
    held_up: Vec<(i64, i64)>,
}

/// The result of comparing the gauge.
#[derive(Debug, Default)]
struct Verdict {
    judged: usize,
    /// Polls whose value no recent change explains, each with the accepted values.
    wrong: Vec<(Poll, RangeInclusive<i64>)>,
    /// Polls without a recent change, for which one value is accepted.
    at_rest: usize,
    /// Polls that show the server's count while it was above [`MANY`] and did not change.
    exact: usize,
    /// The largest value shown.
    peak: i64,
    /// The server's mean count at the times of the answers, and the mean difference from it.
    mean: f64,
    mean_abs_error: f64,
}

impl Truth {
    /// Collects the reports of the backend since `watch`.
    async fn reported(backend: &mut Process) -> Self {
        backend.send_json(&json!({"cmd": "unwatch"})).unwrap();
        let mut truth = Self::default();
        loop {
            let line = backend.next_json(ANSWER).await.unwrap();
            let number = |name: &str| line[name].as_i64().unwrap();
            match line["event"].as_str() {
                Some("clients") => truth.changes.push(Change {
                    at_ms: number("atMs"),
                    opened: number("opened"),
                    closed: number("closed"),
                    count: number("count"),
                }),
                Some("held-up") => {
                    let (at, ms) = (number("atMs"), number("ms"));
                    truth.held_up.push((at - ms, at));
                }
                _ if line["cmd"] == "unwatch" => return truth,
                _ => {}
            }
        }
    }

    fn judge(&self, polls: &[Poll], within_ms: i64) -> Verdict {
        let mut verdict = Verdict::default();
        let (mut counts, mut errors) = (0, 0);
        for poll in polls {
            let Some(present) = self.at(poll.answered_ms) else {
                continue;
            };
            verdict.judged += 1;
            verdict.peak = verdict.peak.max(poll.value);
            counts += present;
            errors += (poll.value - present).abs();
            let is_steady = self.at(poll.asked_ms) == Some(present) && present > MANY;
            verdict.exact += usize::from(is_steady && poll.value == present);
            let right = self.explained(poll, within_ms);
            verdict.at_rest += usize::from(right.start() == right.end());
            if !right.contains(&poll.value) {
                verdict.wrong.push((*poll, right));
            }
        }
        let judged = verdict.judged.max(1) as f64;
        verdict.mean = counts as f64 / judged;
        verdict.mean_abs_error = errors as f64 / judged;
        verdict
    }

    /// The accepted values: all earlier changes, plus any subset of the recent ones.
    fn explained(&self, poll: &Poll, within_ms: i64) -> RangeInclusive<i64> {
        let (from, to) = (poll.asked_ms - within_ms, poll.answered_ms + within_ms);
        // While its event loop is blocked the server acts and reports late: that time does not count.
        let around = self
            .held_up
            .iter()
            .filter(|(start, end)| *start <= to && *end >= from);
        let held_up: i64 = around.map(|(start, end)| end - start).sum();
        let (from, to) = (from - held_up, to + held_up);
        // The gateway may see a disconnect before the server does, but never a connect.
        let reported = poll.answered_ms + held_up + REPORT_DELAY_MS;
        let before = self.at(from - 1).unwrap_or_default();
        let (mut least, mut most) = (before, before);
        for change in self
            .changes
            .iter()
            .skip(1)
            .filter(|change| (from..=to).contains(&change.at_ms))
        {
            least -= change.closed;
            if change.at_ms <= reported {
                most += change.opened;
            }
        }
        least..=most
    }

    /// The server's count at that time.
    fn at(&self, ms: i64) -> Option<i64> {
        let seen = self.changes.partition_point(|change| change.at_ms <= ms);
        Some(self.changes[seen.checked_sub(1)?].count)
    }
}

#[test]
fn the_judge_is_strict() {
    let change = |at_ms, opened, closed, count| Change {
        at_ms,
        opened,
        closed,
        count,
    };
    let truth = Truth {
        changes: vec![
            change(0, 0, 0, 3),
            change(1_000, 2, 0, 5),
            change(2_000, 1, 2, 4),
            change(4_100, 0, 4, 0),
        ],
        held_up: vec![(4_000, 4_100)],
    };
    let judge = |at, value| {
        let poll = Poll {
            asked_ms: at,
            answered_ms: at + 2,
            value,
        };
        truth.judge(&[poll], 200)
    };
    for (at, right) in [
        (500, 3..=3),
        (900, 3..=3),
        (990, 3..=5),
        (1_200, 3..=5),
        (1_201, 5..=5),
        (1_797, 5..=5),
        (1_798, 3..=5),
        (1_990, 3..=6),
        (2_200, 3..=6),
        (2_201, 4..=4),
        (3_000, 4..=4),
        (3_797, 4..=4),
        (3_798, 0..=4),
        (4_300, 0..=4),
        (4_301, 0..=0),
    ] {
        for value in 0..10 {
            let verdict = judge(at, value);
            assert_eq!(
                verdict.wrong.is_empty(),
                right.contains(&value),
                "{value} at {at}"
            );
            assert_eq!(verdict.at_rest == 1, right.start() == right.end(), "{at}");
        }
    }
    // The same with a count above `MANY`: only an unchanged and equal count is exact.
    let truth = Truth {
        changes: vec![change(0, 0, 0, MANY + 1), change(1_000, 1, 0, MANY + 2)],
        held_up: Vec::new(),
    };
    for (at, value, exact) in [
        (500, MANY + 1, 1),
        (500, MANY + 2, 0),
        (999, MANY + 1, 0),
        (999, MANY + 2, 0),
        (1_000, MANY + 2, 1),
        (1_000, MANY + 1, 0),
    ] {
        let poll = Poll {
            asked_ms: at,
            answered_ms: at + 2,
            value,
        };
        let verdict = truth.judge(&[poll], 200);
        assert_eq!(verdict.exact, exact, "{value} at {at}");
        assert_eq!(verdict.peak, value);
    }
}
