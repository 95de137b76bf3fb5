//! A check that runs as in the program, with all of its reports.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::Request;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;
use vigie_metrics::{Format, Registry};
use vigie_probes::health::{self, Detail};
use vigie_probes::{Check, Checks, Clock, Failure, Settings, Status, Verdict, run_once};
use vigie_testkit::SOON;

pub(crate) const PERIOD: Duration = Duration::from_millis(300);
/// The timeout of checks of a server that hangs; for a server that answers it is [`SOON`], so that its answer is reported on a
/// busy machine too. `src/runner/tests.rs` tests the times of checks on a virtual clock.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(1_200);

pub(crate) struct Watch {
    pub(crate) checks: Checks,
    registry: Registry,
    said: String,
    timeout: Duration,
    _stop: DropGuard,
}

impl Watch {
    /// Starts a check and waits until it passes.
    pub(crate) async fn well(check: impl Check) -> Self {
        Self::well_with(check, SOON).await
    }

    /// Like `well`, with a timeout.
    pub(crate) async fn well_with(check: impl Check, timeout: Duration) -> Self {
        let mut watch = Self::start_with(check, timeout);
        watch.turns(Status::Ok).await;
        watch
    }

    pub(crate) fn start(check: impl Check) -> Self {
        Self::start_with(check, SOON)
    }

    fn start_with(check: impl Check, timeout: Duration) -> Self {
        LazyLock::force(&LOGS);
        let registry = Registry::new();
        let settings = Settings {
            period: PERIOD,
            timeout,
            ..Settings::default()
        };
        let checks = Checks::builder(Clock::system())
            .check(check, settings)
            .build(&registry);
        let stop = CancellationToken::new();
        let (running, token) = (checks.clone(), stop.clone());
        tokio::spawn(async move { running.run(token).await });
        Self {
            checks,
            registry,
            said: String::new(),
            timeout,
            _stop: stop.drop_guard(),
        }
    }

    /// Waits for the status.
    pub(crate) async fn turns(&mut self, status: Status) -> Verdict {
        let within = PERIOD + self.timeout + SOON;
        let deadline = Instant::now() + within;
        loop {
            let verdict = self.verdict();
            if verdict.status == status {
                self.listen().await;
                return verdict;
            }
            assert!(
                Instant::now() < deadline,
                "not {status:?} within {within:?}: {verdict:?}"
            );
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asserts that the status stays unchanged for this time.
    pub(crate) async fn stays(&mut self, status: Status, during: Duration) {
        let end = Instant::now() + during;
        while Instant::now() < end {
            let verdict = self.verdict();
            assert_eq!(verdict.status, status, "{verdict:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.checks.report(self.checks.now()).entries[0]
            .verdict
            .clone()
    }

    /// Records all reports of the check, on every output.
    async fn listen(&mut self) {
        for path in [
            "/readyz",
            "/readyz?verbose",
            "/readyz/database",
            "/readyz/redis",
        ] {
            let router = health::router(self.checks.clone(), Detail::Full);
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.oneshot(request).await.unwrap();
            let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            self.said += &String::from_utf8_lossy(&body);
        }
        self.said += &self.registry.expose(Format::Text);
        self.said += &format!("{:?}", self.verdict());
    }

    /// Asserts that none of these texts was ever reported, or logged by any crate.
    pub(crate) async fn never_reported(&mut self, secrets: &[&str]) {
        self.listen().await;
        assert!(self.said.contains("vigie_check_up"));
        let logs = String::from_utf8_lossy(&LOGS.lock().unwrap()).into_owned();
        assert!(logs.contains("check failed"), "logs are not caught");
        for secret in secrets {
            for (place, text) in [("answers", &self.said), ("logs", &logs)] {
                let line = text.lines().find(|line| line.contains(secret));
                assert_eq!(line, None, "a secret in the {place}");
            }
        }
    }
}

/// Runs a check of a server that answers, or of none, once; it must fail.
pub(crate) async fn failure(check: &mut dyn Check) -> Failure {
    failure_within(check, SOON).await
}

/// Runs a check once; it must fail, at the timeout at the latest.
pub(crate) async fn failure_within(check: &mut dyn Check, timeout: Duration) -> Failure {
    let (outcome, duration) = run_once(check, timeout).await;
    assert!(duration < timeout + SOON, "{duration:?}");
    outcome.unwrap_err()
}

/// Runs a check once; it must pass.
pub(crate) async fn passes(check: &mut dyn Check) {
    let (outcome, _) = run_once(check, SOON).await;
    outcome.unwrap();
}

/// Everything that this program and its libraries log, at every level.
static LOGS: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let logs = Arc::new(Mutex::new(Vec::new()));
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(Catch(Arc::clone(&logs)))
        .init();
    logs
});

struct Catch(Arc<Mutex<Vec<u8>>>);

impl<'a> MakeWriter<'a> for Catch {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Arc::clone(&self.0))
    }
}

struct Line(Arc<Mutex<Vec<u8>>>);

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
