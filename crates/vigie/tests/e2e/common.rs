//! Shared fixtures: the program as users run it, and a stage with everything that it watches.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use vigie_testkit::http::{self, Response};
use vigie_testkit::promtext::{Format, Scrape};
use vigie_testkit::{
    Postgres, Process, Redis, RedisOptions, SOON, Script, eventually, ports, tools,
};

use crate::source::Source;

/// The name of the configuration file.
const CONFIG: &str = "vigie.toml";
/// The period of the checks.
const PERIOD: Duration = Duration::from_secs(1);
/// The timeout of the checks: the time until a frozen server is noticed, and longer than a busy machine delays an answer.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The password of the stage's Redis; it must not appear in any output of Vigie.
pub(crate) const REDIS_PASSWORD: &str = "stage-redis-password";

/// The time until all checks have passed once.
const READY: Duration = SOON;
/// The timeout of a script in `demo/testing` that ends by itself.
const SCRIPT: Duration = SOON;
/// Longer than the grace period of a drain.
const END: Duration = Duration::from_secs(40);
/// The number of log lines shown on failure.
const TAIL: usize = 60;
const OPENMETRICS: (&str, &str) = ("accept", "application/openmetrics-text;version=1.0.0");

/// The program, running or ended. Its standard error goes to a file, so that nothing is lost.
pub(crate) struct Program {
    pub(crate) process: Process,
    log: PathBuf,
}

impl Program {
    /// Starts `vigie` with these arguments and only this environment.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)], log: &Path) -> Self {
        let mut command = Command::new("/bin/sh");
        // The shell is replaced by the program, so that signals reach it.
        command
            .args(["-c", r#"log=$1; shift; exec "$0" "$@" 2>>"$log""#])
            .args([env!("CARGO_BIN_EXE_vigie"), log.to_str().unwrap()])
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied());
        Self {
            process: Process::spawn("vigie", command).unwrap(),
            log: log.to_owned(),
        }
    }

    /// Everything written to the standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for the exit: the exit code, and everything written to the standard output.
    pub(crate) async fn end(&mut self) -> (Option<i32>, String) {
        let status = self.process.wait(END).await.unwrap();
        let mut output = String::new();
        while let Ok(line) = self.process.next_line(Duration::from_secs(1)).await {
            output += &line;
            output.push('\n');
        }
        (status.code(), output)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of vigie's log ---\n{}", tail(&self.log()));
        }
    }
}

/// `vigie run` with a configuration file, on reserved ports.
pub(crate) struct Vigie {
    pub(crate) admin: SocketAddr,
    /// The address of the gateway, if it is configured.
    pub(crate) gateway: SocketAddr,
    pub(crate) program: Program,
    environment: Vec<(String, String)>,
    files: TempDir,
}

impl Vigie {
    /// Starts it with these sections and waits until it is ready. `[admin]`, the times of `[checks]` and
    /// `gateway.listen` are added.
    pub(crate) async fn start(sections: &str) -> Self {
        Self::start_with(sections, &[]).await
    }

    /// Like `start`, with settings from the environment.
    pub(crate) async fn start_with(sections: &str, environment: &[(&str, &str)]) -> Self {
        let mut vigie = Self::launch(sections, environment);
        vigie.until_ready().await;
        vigie
    }

    /// Starts it without waiting.
    pub(crate) fn launch(sections: &str, environment: &[(&str, &str)]) -> Self {
        let [admin, gateway] = [ports::free(), ports::free()].map(local);
        let listen = format!("[gateway]\nlisten = \"{gateway}\"\n");
        let settings = format!(
            "[admin]\nlisten = \"{admin}\"\n\
             [checks]\nperiod = \"{PERIOD:?}\"\ntimeout = \"{TIMEOUT:?}\"\n{}",
            sections.replace("[gateway]\n", &listen)
        );
        let files = TempDir::new().unwrap();
        std::fs::write(files.path().join(CONFIG), settings).unwrap();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment: Vec<_> = environment.iter().map(owned).collect();
        Self {
            admin,
            gateway,
            program: run(&files, &environment),
            environment,
            files,
        }
    }

    /// Waits until `/readyz` is 200.
    pub(crate) async fn until_ready(&mut self) {
        let (admin, process) = (self.admin, &mut self.program.process);
        eventually(READY, async || {
            if let Some(status) = process.status() {
                return Err(format!("vigie ended with {status}"));
            }
            match http::get(admin, "/readyz").await {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => Err(answer.text()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.files.path().join(CONFIG)
    }

    /// GET on the admin port.
    pub(crate) async fn get(&self, path: &str) -> Response {
        http::get(self.admin, path).await.unwrap()
    }

    /// `/metrics` in both formats, which must have the same families.
    pub(crate) async fn scrape(&self) -> Scrape {
        loop {
            let before = self.scrape_as(Format::Text).await.families().len();
            let openmetrics = self.scrape_as(Format::OpenMetrics).await;
            let text = self.scrape_as(Format::Text).await;
            // A family may have appeared between two pages.
            if text.families().len() == before {
                assert_eq!(before, openmetrics.families().len());
                return text;
            }
        }
    }

    /// `/metrics` in one format.
    pub(crate) async fn scrape_as(&self, format: Format) -> Scrape {
        let accept = match format {
            Format::Text => vec![],
            Format::OpenMetrics => vec![OPENMETRICS],
        };
        let page = http::request(self.admin, "GET", "/metrics", &accept, b"");
        let page = page.await.unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(
            Format::of(page.header("content-type").unwrap()),
            Some(format)
        );
        Scrape::parse(&page.text(), format).unwrap()
    }

    /// Sends SIGKILL and restarts it on the same ports.
    pub(crate) async fn kill9_and_restart(&mut self) {
        self.program.process.kill9();
        self.program = run(&self.files, &self.environment);
        self.until_ready().await;
    }

    /// Sends SIGTERM, after which it must exit with success.
    pub(crate) async fn stop(mut self) {
        self.finish().await;
    }

    async fn finish(&mut self) {
        let status = self.program.process.stop(END).await;
        assert_eq!(status.and_then(|status| status.code()), Some(0), "of vigie");
    }
}

fn run(files: &TempDir, environment: &[(String, String)]) -> Program {
    let config = files.path().join(CONFIG);
    let arguments = ["run", "--config", config.to_str().unwrap()];
    let environment = environment.iter().map(|(name, value)| (&**name, &**value));
    let environment: Vec<_> = environment.collect();
    Program::start(&arguments, &environment, &files.path().join("vigie.log"))
}

/// The number of stages that run at once: each has five servers, which mostly wait.
const STAGES: usize = 2;

/// Waits until few enough stages run, and counts as one until it is dropped.
pub(crate) async fn turn() -> SemaphorePermit<'static> {
    static TURNS: Semaphore = Semaphore::const_new(STAGES);
    TURNS.acquire().await.unwrap()
}

/// PostgreSQL, Redis, the backend that uses both, and Vigie in front, watching everything.
pub(crate) struct Stage {
    pub(crate) vigie: Vigie,
    /// Also reports internal state: see `demo/testing/truth-backend.js`.
    pub(crate) backend: Process,
    /// The address of the backend.
    pub(crate) app: SocketAddr,
    pub(crate) redis: Redis,
    pub(crate) postgres: Postgres,
    source: Source,
    turn: Option<SemaphorePermit<'static>>,
}

impl Stage {
    /// Starts the stage.
    pub(crate) async fn set() -> Self {
        Self::set_with(&[]).await
    }

    /// Starts the stage with settings of the backend.
    pub(crate) async fn set_with(environment: &[(&str, &str)]) -> Self {
        Self::set_with_sections(environment, "").await
    }

    /// Starts the stage with settings of the backend, and more sections for Vigie.
    pub(crate) async fn set_with_sections(environment: &[(&str, &str)], more: &str) -> Self {
        Self::set_for(Source::Gateway, environment, more).await
    }

    /// Starts the stage with this source of requests, settings of the backend, and more sections for Vigie.
    pub(crate) async fn set_for(source: Source, environment: &[(&str, &str)], more: &str) -> Self {
        let turn = turn().await;
        let redis = RedisOptions {
            password: Some(REDIS_PASSWORD.to_owned()),
            ..RedisOptions::default()
        };
        let (postgres, redis) = tokio::join!(Postgres::start(), Redis::start_with(redis));
        let (postgres, redis) = (postgres.unwrap(), redis.unwrap());
        let mut backend = Script::truth_backend(&postgres.url(), &redis.url());
        for (name, value) in environment {
            backend = backend.env(name, value);
        }
        let (backend, port) = backend.listen().await.unwrap();
        let app = local(port);
        let sections = sections(source, app, &redis, &postgres) + more;
        Self {
            vigie: Vigie::start(&sections).await,
            backend,
            app,
            redis,
            postgres,
            source,
            turn: Some(turn),
        }
    }

    /// The settings of Vigie.
    pub(crate) fn sections(&self) -> String {
        sections(self.source, self.app, &self.redis, &self.postgres)
    }

    /// The address that clients connect to, so that Vigie sees their requests.
    pub(crate) fn entry(&self) -> SocketAddr {
        self.source.entry(&self.vigie, self.app)
    }

    /// Brings a queue without workers into a defined state: see `demo/testing/fill.js`.
    pub(crate) async fn fill(&self, queue: &str, arguments: &[&str]) {
        fill(&self.redis, queue, arguments).await;
    }

    /// Allows another stage to run while this one is idle.
    pub(crate) fn give_up_turn(&mut self) {
        self.turn = None;
    }

    /// Stops Vigie, which must exit with success, and then the rest.
    pub(crate) async fn end(mut self) {
        self.vigie.finish().await;
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "--- the end of the backend's log ---\n{}",
                self.backend.tail()
            );
        }
    }
}

/// Like `Stage::fill`, without a stage.
pub(crate) async fn fill(redis: &Redis, queue: &str, arguments: &[&str]) {
    let url = redis.url();
    let script = Script::new("testing/fill.js").args(["--redis", &url, "--queue", queue]);
    let mut script = script.args(arguments.iter().copied()).spawn().unwrap();
    let state = script.next_json(SCRIPT).await.unwrap();
    assert_eq!(state["queue"], queue);
    assert!(script.wait(SCRIPT).await.unwrap().success());
}

fn sections(source: Source, app: SocketAddr, redis: &Redis, postgres: &Postgres) -> String {
    source.section(app, "")
        + &format!(
            "[redis]\nurl = {:?}\ndiscover_every = \"500ms\"\n\
         [database]\nurl = {:?}\n\
         [tick]\nqueue = \"production\"\njob = \"production-tick\"\n",
            redis.url(),
            postgres.url(),
        )
}

/// Asserts that `promtool check metrics` has no findings for this page.
pub(crate) fn promtool_finds_nothing_in(page: &str) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("metrics.txt");
    std::fs::write(&file, page).unwrap();
    let promtool = Command::new(tools::PROMTOOL.find().unwrap())
        .args(["check", "metrics"])
        .stdin(Stdio::from(std::fs::File::open(&file).unwrap()))
        .output()
        .unwrap();
    let said = [promtool.stdout, promtool.stderr].concat();
    assert_eq!(String::from_utf8_lossy(&said), "", "promtool");
    assert_eq!(promtool.status.code(), Some(0));
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
