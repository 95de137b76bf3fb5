//! Candidates with an API server: TLS, token, and failures.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use vigie_election::kubernetes::{Cluster, Rights, Settings, check};
use vigie_election::{Candidate, Tenure};
use vigie_testkit::kubernetes::{ApiServer, Mood};
use vigie_testkit::{Certificates, SOON, eventually};

const NAME: &str = "vigie-exporter";
const PERIOD: Duration = Duration::from_secs(3);

fn settings(server: &ApiServer) -> Settings {
    let addr = server.addr();
    Settings {
        cluster: Cluster::new(addr.ip().to_string(), addr.port(), server.account()),
        namespace: None,
        name: NAME.to_owned(),
        period: PERIOD,
    }
}

struct Running {
    tenure: Tenure,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(settings: Settings) -> Self {
        let stop = CancellationToken::new();
        let candidate = Candidate::in_kubernetes(settings).unwrap();
        let tenure = candidate.tenure();
        Self {
            tenure,
            task: tokio::spawn(candidate.run(stop.clone())),
            stop,
        }
    }

    fn holds(&self) -> bool {
        self.tenure.holds(Instant::now())
    }

    async fn until(&self, holds: bool) {
        eventually(SOON, async || match self.holds() == holds {
            true => Ok(()),
            false => Err(format!("it does not become {holds}")),
        })
        .await;
    }

    async fn stop(mut self) {
        self.stop.cancel();
        timeout(SOON, &mut self.task).await.unwrap().unwrap();
    }

    /// As if the process were killed: it sends nothing more.
    fn kill(&self) {
        self.task.abort();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Both candidates, the elected one first. There are never two elected ones.
async fn elect(a: Running, b: Running) -> (Running, Running) {
    let first = eventually(SOON, async || match (a.holds(), b.holds()) {
        (true, false) => Ok(true),
        (false, true) => Ok(false),
        both => Err(format!("{both:?}")),
    })
    .await;
    if first { (a, b) } else { (b, a) }
}

fn spec(server: &ApiServer) -> Value {
    server.lease(NAME).unwrap()["spec"].clone()
}

#[tokio::test]
async fn another_candidate_is_elected_when_the_holder_dies_or_stops() {
    let server = ApiServer::start("shop").await.unwrap();
    let start = || Running::start(settings(&server));
    let (elected, other) = elect(start(), start()).await;
    let made = spec(&server);
    assert_eq!(made["leaseTransitions"], 0);
    assert_eq!(made["leaseDurationSeconds"], 3);
    eventually(SOON, async || {
        match spec(&server)["renewTime"] == made["renewTime"] {
            false => Ok(()),
            true => Err("it is not renewed"),
        }
    })
    .await;
    assert_eq!(spec(&server)["acquireTime"], made["acquireTime"]);
    assert!(!other.holds());

    elected.kill();
    other.until(true).await;
    let taken = spec(&server);
    assert_eq!(taken["leaseTransitions"], 1);
    assert_ne!(taken["holderIdentity"], made["holderIdentity"]);

    let third = start();
    sleep(PERIOD).await;
    assert!(other.holds() && !third.holds());
    other.stop().await;
    third.until(true).await;
    assert_eq!(spec(&server)["leaseTransitions"], 2);
    third.stop().await;
    assert_eq!(spec(&server)["holderIdentity"], "");
    let wrong = |line: &&String| !line.contains("/namespaces/shop/leases");
    assert_eq!(server.asked().iter().find(wrong), None);
}

#[tokio::test]
async fn a_server_that_hangs_fails_or_does_not_answer() {
    let server = ApiServer::start("shop").await.unwrap();
    let start = || Running::start(settings(&server));
    let (mut elected, mut other) = elect(start(), start()).await;
    for mood in [Mood::Hangs, Mood::Fails, Mood::Mute] {
        server.set(mood);
        elected.until(false).await;
        assert!(!other.holds(), "{mood:?}");
        server.set(Mood::Well);
        (elected, other) = elect(elected, other).await;
    }
    // The holder is not affected by additional fields or by a new token.
    server.edit(NAME, |lease| {
        lease["metadata"]["labels"] = json!({"team": "shop"})
    });
    server.rotate_token().unwrap();
    let long = Instant::now() + 2 * PERIOD;
    while Instant::now() < long {
        assert!(elected.holds() && !other.holds());
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        server.lease(NAME).unwrap()["metadata"]["labels"]["team"],
        "shop"
    );

    // Of another program.
    server.edit(NAME, |lease| {
        lease["spec"]["holderIdentity"] = json!("somebody")
    });
    elected.until(false).await;
    let (elected, other) = elect(elected, other).await;
    assert_ne!(spec(&server)["holderIdentity"], "somebody");
    server.delete(NAME);
    elect(elected, other).await;
}

#[tokio::test]
async fn permissions_are_checked_without_acquiring_the_lease() {
    let server = ApiServer::start("shop").await.unwrap();
    let rights = |missing: &[&'static str], holder: Option<&str>| Rights {
        namespace: "shop".to_owned(),
        holder: holder.map(str::to_owned),
        missing: missing.to_vec(),
    };
    assert_eq!(check(settings(&server)).await.unwrap(), rights(&[], None));
    server.allow(&["get", "update"]);
    assert_eq!(
        check(settings(&server)).await.unwrap(),
        rights(&["create"], None)
    );
    assert_eq!(server.lease(NAME), None);
    server.allow(&["get", "update", "create"]);
    let elected = Running::start(settings(&server));
    elected.until(true).await;
    let holder = spec(&server)["holderIdentity"].as_str().unwrap().to_owned();
    server.allow(&["get"]);
    let found = check(settings(&server)).await.unwrap();
    assert_eq!(found, rights(&["update"], Some(&holder)));
    server.allow(&[]);
    let found = check(settings(&server)).await.unwrap();
    assert_eq!(found, rights(&["get", "update", "create"], None));
    // Without permission to renew, it is elected for one period only.
    elected.until(false).await;
}

#[tokio::test]
async fn errors_name_the_cause_and_not_the_token() {
    let server = ApiServer::start("shop").await.unwrap();
    let said = async || {
        let error = check(settings(&server)).await.unwrap_err().to_string();
        assert!(!error.contains("token-"), "{error}");
        error
    };
    let file = |name: &str| server.account().join(name);
    std::fs::write(file("token"), "token-of-yesterday").unwrap();
    let error = said().await;
    assert!(error.contains("answered 401: Unauthorized"), "{error}");
    server.rotate_token().unwrap();
    assert!(check(settings(&server)).await.is_ok());

    server.set(Mood::Fails);
    let error = said().await;
    assert!(
        error.contains("answered 500: etcdserver: request timed out"),
        "{error}"
    );
    server.set(Mood::Well);
    Running::start(settings(&server)).until(true).await;
    // Longer than the limit.
    let page = "x".repeat(300 << 10);
    server.edit(NAME, |lease| {
        lease["metadata"]["annotations"] = json!({"page": page})
    });
    let error = said().await;
    assert!(
        error.contains("reading the Lease: unexpected answer from the API server"),
        "{error}"
    );
    server.delete(NAME);
    server.set(Mood::Hangs);
    let error = said().await;
    assert!(
        error.contains("no answer from the API server within 1s"),
        "{error}"
    );

    let other = Certificates::new().await.unwrap();
    std::fs::copy(other.ca(), file("ca.crt")).unwrap();
    let error = said().await;
    assert!(
        error.contains("cannot connect") && error.contains("certificate"),
        "{error}"
    );
    let addr = server.addr();
    drop(server);
    let account = tempfile::tempdir().unwrap();
    let nowhere = Settings {
        cluster: Cluster::new(addr.ip().to_string(), addr.port(), account.path()),
        namespace: Some("shop".to_owned()),
        name: NAME.to_owned(),
        period: PERIOD,
    };
    let error = check(nowhere).await.unwrap_err().to_string();
    assert!(error.contains("token: No such file"), "{error}");
}
