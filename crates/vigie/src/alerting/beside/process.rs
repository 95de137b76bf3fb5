//! A process with the rules, the history and the notifications of the program.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vigie_config::Settings;
use vigie_history::Appender;
use vigie_metrics::Registry;
use vigie_probes::Clock;
use vigie_testkit::promtext::Format;
use vigie_testkit::{Process, Scrape, http};

use super::EVERY;
use crate::alerting::{Alerting, Edges};
use crate::history::{Current, load};

/// The variables with which the process is started: its directory, and the address that it scrapes.
const DIRECTORY: &str = "VIGIE_BESIDE_DIRECTORY";
const TARGET: &str = "VIGIE_BESIDE_TARGET";
/// The line that the process prints after its first scrape.
const SCRAPES: &str = "scrapes";
const START: Duration = Duration::from_secs(60);

pub(super) struct Vigie {
    process: Process,
    directory: PathBuf,
    target: SocketAddr,
}

impl Vigie {
    /// Starts it with the `rules.yml` in a directory, where it also keeps its state.
    pub(super) async fn start(directory: &Path, receivers: &str, target: SocketAddr) -> Self {
        std::fs::write(directory.join("alertmanager.yml"), receivers).unwrap();
        Self {
            process: spawn(directory, target).await,
            directory: directory.to_owned(),
            target,
        }
    }

    pub(super) async fn kill9_and_restart(&mut self) {
        self.process.kill9();
        self.process = spawn(&self.directory, self.target).await;
    }
}

async fn spawn(directory: &Path, target: SocketAddr) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let test = format!("{}::process", module_path!().split_once("::").unwrap().1);
    command
        .args(["--exact", &test, "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(TARGET, target.to_string());
    let mut process = Process::spawn("vigie", command).unwrap();
    loop {
        let line = process.next_line(START).await.unwrap();
        if line == SCRAPES {
            return process;
        }
    }
}

/// The process itself.
#[tokio::test]
#[ignore = "the process of the long run, which starts it"]
#[allow(clippy::print_stdout)]
async fn process() {
    // Without the other test it has nothing to do.
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let directory = PathBuf::from(directory);
    let target: SocketAddr = std::env::var(TARGET).unwrap().parse().unwrap();
    let at = |name: &str| directory.join(name);
    let settings = format!(
        "[history]\npath = {:?}\n[alerts]\nrules = [{:?}]\nbuiltin = []\n\
         [notify]\nconfig = {:?}\nmax_messages_per_minute = 1000\n",
        at("history"),
        at("rules.yml"),
        at("alertmanager.yml")
    );
    let settings = Settings::from_toml(&settings).unwrap();
    let (registry, clock) = (Registry::new(), Clock::system());
    let current = Current::in_memory(&settings.history).unwrap();
    let loaded = load(&settings.history).unwrap().unwrap().await;
    let history = loaded.unwrap().unwrap();
    current.is_now(history.clone());
    let edges = Edges {
        registry: &registry,
        history: &current,
        address: target,
        clock: &clock,
        notifier: None,
        tenure: None,
    };
    let alerting = Alerting::build(&settings, edges).unwrap();
    let (scraped, scrapes) = watch::channel(i64::MIN);
    let rules = alerting.run(scrapes, TaskTracker::new(), CancellationToken::new());
    tokio::spawn(rules);

    let mut appender = history.appender();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let at = clock.now().wall.as_millisecond();
        scrape(&mut appender, at, target).await;
        scraped.send_replace(at);
        println!("{SCRAPES}");
    }
}

/// As Prometheus does it: series that are missing end, all of them if there is no answer.
async fn scrape(appender: &mut Appender, at: i64, target: SocketAddr) {
    let answer = http::get(target, "/vigie").await;
    let page = answer.ok().filter(|answer| answer.status == 200);
    let page = page.map(|page| Scrape::parse(&page.text(), Format::Text).unwrap());
    let instance = target.to_string();
    let mut scrape = appender.scrape(at);
    let samples = page.iter().flat_map(Scrape::families);
    for sample in samples.flat_map(|family| &family.samples) {
        let mut labels = vec![
            ("__name__", &*sample.name),
            ("instance", &*instance),
            ("job", "beside"),
        ];
        let own = sample.labels.iter();
        labels.extend(own.map(|(name, value)| (&**name, &**value)));
        labels.sort_unstable();
        let series = scrape.series(&labels).unwrap();
        scrape.sample(series, sample.value);
    }
    scrape.commit();
}
