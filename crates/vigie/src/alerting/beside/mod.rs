//! A long run beside a real Prometheus and Alertmanager on random series, which flap, end and come back, while all programs are
//! killed and restarted. Both sides must fire and resolve the same alerts, in the same groups.
//!
//! The rules, the history and the notifications are those of the program, in a process of their own. Only the scraper of the
//! program is replaced, because Vigie scrapes nothing but itself: here it scrapes the exposition that Prometheus scrapes.
//!
//! `VIGIE_BESIDE_SECONDS` makes the run longer, `VIGIE_BESIDE_SEED` repeats one.
//!
//! # Explained differences
//!
//! A transition within [`INTERVAL`] on both sides is the same. A longer difference must begin while one side could not know:
//!
//! - a program was down, or had just been started, as all of them in the beginning: Prometheus does not keep short `for` and `keep_firing_for` over a restart, a
//!   killed Alertmanager forgets what it has sent, and nobody resolves an alert while Prometheus is down;
//! - a scrape was late, because the machine was busy.
//!
//! Vigie summarizes when it would send too many messages, which Alertmanager does not; the limit is raised here.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod process;
mod series;

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use vigie_testkit::periods::Difference;
use vigie_testkit::prometheus::Release;
use vigie_testkit::{Alertmanager, Periods, Webhook, eventually, sid};

use process::Vigie;
use series::{Exposition, Random};

/// The interval of scrapes, evaluations and groups.
const EVERY: Duration = Duration::from_secs(2);
/// How far apart the sides may see a transition: a scrape and an evaluation, which are not at the same times.
const INTERVAL: Duration = Duration::from_secs(4);
/// The time after a restart or a late scrape in which a difference may begin. Prometheus gives an alert as resolved after it
/// was not sent for four times the resend delay.
const RECOVERY: i64 = 8_000;
/// The length of the run without the kills, and the time between two kills.
const SECONDS: u64 = 90;
const BETWEEN_KILLS: u64 = 22;
/// Until everything is resolved in the end.
const CALM: Duration = Duration::from_secs(120);
/// Far fewer than such a run has.
const LEAST_PERIODS: usize = 20;

const RULES: &str = "
groups:
  - name: beside
    interval: 2s
    rules:
      - alert: High
        expr: level > 5
        labels: {severity: warning}
        annotations: {summary: '{{ $labels.host }} is at {{ $value }}'}
      - {alert: HighForLong, expr: level > 5, for: 4s}
      - {alert: HighOrJust, expr: level > 5, keep_firing_for: 6s}
      - {record: 'level:high', expr: count(level > 5)}
      - {alert: ManyHigh, expr: 'level:high > 4', labels: {severity: critical}}
      - {alert: NoHost, expr: absent(level)}
";

/// The receivers of both sides.
fn receivers(webhook: &Webhook) -> String {
    format!(
        "route: {{receiver: ops, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}\n\
         receivers: [{{name: ops, webhook_configs: [{{url: '{}'}}]}}]\n",
        webhook.url()
    )
}

/// A time in which a side could not know, in milliseconds since the Unix epoch.
struct Window {
    what: String,
    from: i64,
    to: i64,
}

impl Window {
    fn explains(&self, difference: &Difference) -> bool {
        let slack = i64::try_from(INTERVAL.as_millis()).unwrap();
        (self.from - slack..=self.to + RECOVERY).contains(&difference.from)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.what, self.from, self.to)
    }
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test]
async fn a_long_run_beside_prometheus_and_alertmanager() {
    let seed = variable("VIGIE_BESIDE_SEED", now().unsigned_abs());
    let seconds = variable("VIGIE_BESIDE_SECONDS", SECONDS);
    eprintln!("VIGIE_BESIDE_SEED={seed} VIGIE_BESIDE_SECONDS={seconds}");
    let exposition = Exposition::start(seed).await;
    let (theirs, ours) = (
        Webhook::start().await.unwrap(),
        Webhook::start().await.unwrap(),
    );
    let directory = TempDir::new().unwrap();
    let rules = directory.path().join("rules.yml");
    std::fs::write(&rules, RULES).unwrap();

    let begin = now();
    let mut vigie = Vigie::start(directory.path(), &receivers(&ours), exposition.addr()).await;
    let config = receivers(&theirs);
    let mut alertmanager = match sid::ALERTMANAGER.find() {
        Ok(program) => Alertmanager::start_program(&program, &config)
            .await
            .unwrap(),
        Err(_) => Alertmanager::start(&config).await.unwrap(),
    };
    let config = format!(
        "global: {{scrape_interval: {EVERY:?}, scrape_timeout: {EVERY:?}, evaluation_interval: {EVERY:?}}}\n\
         rule_files: [{rules:?}]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n\
         scrape_configs: [{{job_name: beside, metrics_path: /prometheus, static_configs: [{{targets: ['{}']}}]}}]\n",
        alertmanager.addr(),
        exposition.addr()
    );
    let release = Release::sid().or_else(|_| Release::installed()).unwrap();
    let mut prometheus = release.start_notifying(&config, EVERY / 2).await.unwrap();

    let start = now();
    let mut windows = vec![Window {
        what: "the programs were started".to_owned(),
        from: begin,
        to: start,
    }];
    let mut random = Random::new(seed);
    let mut kills = 0;
    while now() - start < i64::try_from(seconds * 1_000).unwrap() {
        tokio::time::sleep(Duration::from_secs(BETWEEN_KILLS) + random.millis(3_000)).await;
        let from = now();
        let what = match kills % 3 {
            0 => {
                vigie.kill9_and_restart().await;
                "Vigie"
            }
            1 => {
                prometheus.restart().await.unwrap();
                "Prometheus"
            }
            _ => {
                alertmanager.restart().await.unwrap();
                "Alertmanager"
            }
        };
        kills += 1;
        let what = format!("{what} was killed");
        windows.push(Window {
            what,
            from,
            to: now(),
        });
    }
    exposition.calm();
    let until = Timestamp::now();
    let quiet = i64::try_from(INTERVAL.as_millis()).unwrap();
    eventually(CALM, async || {
        let periods = Periods::of(&ours.alerts().unwrap());
        let open = periods.open();
        (open == 0 && now() - until.as_millisecond() > 4 * quiet)
            .then_some(())
            .ok_or(format!(
                "{open} alerts of Vigie are not resolved: {periods:#?}"
            ))
    })
    .await;

    for (party, from, to) in exposition.late_scrapes(EVERY + EVERY / 2) {
        let what = format!("{party} scraped late");
        windows.push(Window { what, from, to });
    }
    let [theirs, ours] = [&theirs, &ours].map(|webhook| Periods::of(&webhook.alerts().unwrap()));
    let differences = theirs.differences(&ours, INTERVAL, until);
    let (explained, rest): (Vec<_>, Vec<_>) = differences
        .into_iter()
        .partition(|one| windows.iter().any(|window| window.explains(one)));
    eprintln!(
        "{} and {} periods, {kills} kills, {} explained differences",
        theirs.count(),
        ours.count(),
        explained.len()
    );
    let windows: Vec<_> = windows.iter().map(Window::to_string).collect();
    assert!(rest.is_empty(), "seed {seed}: {rest:#?}\n{windows:#?}");
    let both = theirs.count().min(ours.count());
    assert!(both >= LEAST_PERIODS, "only {both} periods");
    assert!(explained.len() < both / 2, "{explained:#?}");
    drop(vigie);
}
