//! The two sources of HTTP: a test that [`for_each_source`] declares runs against both.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use vigie_testkit::SOON;
use vigie_testkit::promtext::Scrape;

use crate::common::Vigie;

/// Declares a test for each source from one function that takes a [`Source`].
///
/// Where packets cannot be captured, the tests of the capture are ignored, except in CI, where they fail.
macro_rules! for_each_source {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            use crate::source::Source;

            #[tokio::test]
            async fn of_the_gateway() {
                super::$name(Source::Gateway).await;
            }

            #[tokio::test]
            #[cfg_attr(not(tests_capture), ignore = "needs CAP_NET_RAW")]
            async fn of_the_capture() {
                super::$name(Source::Capture).await;
            }
        }
    )+ };
}
pub(crate) use for_each_source;

/// Where the requests are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Gateway,
    Capture,
}

impl Source {
    /// Its section of the configuration, for an app at this address, with more keys of both sources.
    pub(crate) fn section(self, app: SocketAddr, more: &str) -> String {
        match self {
            Self::Gateway => {
                format!("[gateway]\napp = \"http://{app}\"\nconnect_timeout = \"{SOON:?}\"\n{more}")
            }
            // A busy machine may take long to hand a processor to the capture.
            Self::Capture => format!(
                "[capture]\nlisten = [\"lo:{}\"]\nring_bytes = \"32MiB\"\nsettle = \"0s\"\n{more}",
                app.port()
            ),
        }
    }

    /// The name of its section.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Capture => "capture",
        }
    }

    /// The address that clients connect to.
    pub(crate) fn entry(self, vigie: &Vigie, app: SocketAddr) -> SocketAddr {
        match self {
            Self::Gateway => vigie.gateway,
            Self::Capture => app,
        }
    }

    /// Asserts that the source itself ended no request and missed none.
    pub(crate) fn is_faultless(self, scrape: &Scrape) {
        assert_eq!(scrape.sum("vigie_requests_abandoned_total", &[]), 0.0);
        match self {
            Self::Gateway => {
                for reason in ["connect_failed", "response_missing", "response_invalid"] {
                    let labels = [("reason", reason)];
                    let errors = scrape.value("vigie_gateway_errors_total", &labels);
                    assert_eq!(errors, Some(0.0), "{reason}");
                }
            }
            Self::Capture => {
                let dropped = scrape.value("vigie_capture_packets_dropped_total", &[]);
                assert_eq!(dropped, Some(0.0));
            }
        }
    }
}

/// The tests that mention the gateway and run against it alone, by their module, and why.
const GATEWAY_ONLY: [(&str, &str); 11] = [
    (
        "admin",
        "the subject is the admin port, beside which any request will do",
    ),
    (
        "alerting",
        "the subject are the alerts on the metrics, which both sources share",
    ),
    (
        "hanging_disk",
        "the gateway must forward while a disk hangs; the capture forwards nothing",
    ),
    (
        "history",
        "the subject is the history, beside which the gateway must forward",
    ),
    ("lifecycle", "only the gateway has connections to drain"),
    (
        "notified",
        "the subject are the messages about an app that is down",
    ),
    (
        "optional",
        "the gateway must forward without its optional checks",
    ),
    (
        "outages",
        "the gateway must lose no request during outages of Redis and PostgreSQL",
    ),
    ("page", "the subject is the page"),
    ("rules", "the subject are the rules; the app does not run"),
    (
        "secrets",
        "the subject is the output of every part, the gateway among them",
    ),
];

/// A test of one source is either declared for both or listed with its reason.
#[test]
fn every_test_of_requests_runs_against_both_sources() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() || ["common", "source", "main"].contains(&&*name) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let tests = text.split("#[tokio::test").skip(1);
        let of_the_gateway =
            tests.filter(|test| test.contains("gateway") && !test.contains("Source::Capture"));
        if of_the_gateway.count() == 0 {
            continue;
        }
        match GATEWAY_ONLY.iter().any(|(module, _)| *module == name) {
            true => found.push(name),
            false => missing.push(name),
        }
    }
    assert_eq!(missing, [""; 0], "declare their tests with for_each_source");
    found.sort();
    assert_eq!(found, GATEWAY_ONLY.map(|(module, _)| module));
}
