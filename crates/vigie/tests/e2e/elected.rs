//! `queues.exporter = "elected"`: of two replicas on one Redis one exposes the queues, and the other takes over when
//! it fails. The lease is in Redis or in Kubernetes.

use std::time::Duration;

use tempfile::TempDir;
use vigie_testkit::kubernetes::Mood;
use vigie_testkit::promtext::{Format, Scrape};
use vigie_testkit::{ApiServer, Redis, SOON, eventually, http};

use crate::common::{Program, Vigie, fill};
use crate::jobs::run;

/// Renewed every two seconds.
const LEASE: Duration = Duration::from_secs(6);
const KEY: &str = "vigie:exporter";
const QUEUE: &str = "mail";

/// The permissions that the documentation lists, and no others.
const RIGHTS: &str = "~bull:* resetchannels -@all +hello +auth +select +ping +scan +llen +lrange +zcard +zcount \
                      +zrangebyscore +hget +hmget +exists +xread +xinfo|stream +time +client|list";
/// The additional permissions for a lease in Redis.
const LEASE_RIGHTS: &str = "~vigie:exporter +watch +unwatch +multi +exec +get +set +pexpire +del";

/// Creates the user, which Redis loses on restart.
async fn user(redis: &Redis) {
    allow(redis, &[RIGHTS, LEASE_RIGHTS]).await;
}

async fn allow(redis: &Redis, rights: &[&str]) {
    let create = ["ACL", "SETUSER", "vigie", "reset", "on", ">secret"];
    let rights = rights.iter().flat_map(|rights| rights.split_whitespace());
    let command: Vec<_> = create.into_iter().chain(rights).collect();
    assert_eq!(redis.cli(&command).await.unwrap().trim(), "OK");
}

fn candidate(redis: &Redis) -> Vigie {
    Vigie::launch(&sections(redis), &[])
}

fn sections(redis: &Redis) -> String {
    let port = redis.port();
    format!(
        "[redis]\nurl = \"redis://vigie:secret@127.0.0.1:{port}\"\ndiscover_every = \"200ms\"\n\
         [queues]\nexporter = \"elected\"\nlease = \"{LEASE:?}\"\n"
    )
}

/// The environment that the kubelet gives a Pod.
fn pod(server: &ApiServer) -> (String, [(&'static str, String); 2]) {
    let section = format!(
        "lease_in = \"kubernetes\"\nlease_account = {:?}\n",
        server.account()
    );
    let addr = server.addr();
    let variables = [
        ("KUBERNETES_SERVICE_HOST", addr.ip().to_string()),
        ("KUBERNETES_SERVICE_PORT", addr.port().to_string()),
    ];
    (section, variables)
}

/// Runs `vigie check`: its exit code, and the line about the lease with the advice below it.
async fn check(sections: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let files = TempDir::new().unwrap();
    let config = files.path().join("vigie.toml");
    let settings = format!("[admin]\nlisten = \"127.0.0.1:0\"\n{sections}");
    std::fs::write(&config, settings).unwrap();
    let arguments = ["check", "--config", config.to_str().unwrap()];
    let mut program = Program::start(&arguments, variables, &files.path().join("log"));
    let (code, table) = program.end().await;
    let lines = table.lines().skip_while(|line| !line.starts_with("lease "));
    let lines: Vec<_> = lines.take(2).collect();
    (code, lines.join("\n"))
}

/// Whether this replica exports. Its page must have the queues if and only if it does.
async fn exports(vigie: &Vigie) -> Result<bool, String> {
    let page = http::get(vigie.admin, "/metrics").await;
    let page = page.map_err(|error| error.to_string())?.text();
    let scrape = Scrape::parse(&page, Format::Text).unwrap();
    let says = scrape.value("vigie_queues_exporter", &[]) == Some(1.0);
    // A gauge that exists from the start; the other metrics of queues appear with it.
    let shows = scrape.family("bullmq_queues").is_some();
    assert_eq!(says, shows, "{page}");
    let queues = |name: &str| name.starts_with("bullmq_") || name == "queue_jobs_total";
    let none = !scrape.families().iter().any(|family| queues(&family.name));
    assert_eq!(says, !none, "{page}");
    Ok(says)
}

/// The number of failures exposed for the queue.
async fn failed(vigie: &Vigie) -> Option<f64> {
    let of = [("queue", QUEUE), ("state", "failed")];
    vigie.scrape().await.value("queue_jobs_total", &of)
}

/// Waits until this replica exports.
async fn until_exports(vigie: &Vigie, within: Duration) {
    eventually(within, async || match exports(vigie).await? {
        true => Ok(()),
        false => Err("it does not export".to_owned()),
    })
    .await;
}

/// Both replicas, the exporting one first.
async fn elect(mut a: Vigie, mut b: Vigie) -> (Vigie, Vigie) {
    a.until_ready().await;
    b.until_ready().await;
    let first = eventually(SOON, async || {
        match (exports(&a).await?, exports(&b).await?) {
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            both => Err(format!("{both:?}")),
        }
    })
    .await;
    if first { (a, b) } else { (b, a) }
}

#[tokio::test]
async fn the_other_takes_over_when_the_elected_one_is_killed() {
    let redis = Redis::start().await.unwrap();
    user(&redis).await;
    let (mut elected, other) = elect(candidate(&redis), candidate(&redis)).await;
    fill(&redis, QUEUE, &[]).await;
    eventually(SOON, async || {
        failed(&elected).await.ok_or("the queue is not seen")
    })
    .await;
    run(&redis, QUEUE, 200).await;
    eventually(SOON, async || match failed(&elected).await {
        Some(20.0) => Ok(()),
        counted => Err(format!("{counted:?}")),
    })
    .await;
    assert!(!exports(&other).await.unwrap());
    // Every replica answers scalers.
    let path = format!("/queues?queue={QUEUE}");
    assert_eq!(other.get(&path).await.status, 200);

    elected.program.process.kill9();
    until_exports(&other, 2 * LEASE).await;
    // The replica has counted from the start: no counter restarts at 0.
    assert_eq!(failed(&other).await, Some(20.0));

    // A replica that shuts down releases its lease; the next need not wait for its expiry.
    let third = candidate(&redis);
    let holder = redis.cli(&["GET", KEY]).await.unwrap();
    assert!(holder.contains('_'), "{holder}");
    other.stop().await;
    until_exports(&third, 2 * LEASE).await;
    let holder_now = redis.cli(&["GET", KEY]).await.unwrap();
    assert_ne!(holder, holder_now);
    third.stop().await;
    assert_eq!(redis.cli(&["EXISTS", KEY]).await.unwrap().trim(), "0");
}

#[tokio::test]
async fn there_is_never_more_than_one_leader() {
    let mut redis = Redis::start().await.unwrap();
    user(&redis).await;
    let (elected, other) = elect(candidate(&redis), candidate(&redis)).await;

    // It is frozen past the expiry of its lease, and must notice this when it resumes.
    elected.program.process.freeze();
    until_exports(&other, 2 * LEASE).await;
    elected.program.process.thaw();
    assert!(!exports(&elected).await.unwrap());
    let (elected, other) = (other, elected);

    // Redis returns with its data: exactly one replica exports.
    redis.kill9();
    redis.restart().await.unwrap();
    user(&redis).await;
    let (elected, other) = elect(elected, other).await;

    // Another holder takes the lease before its expiry: the leader notices at the next renewal.
    let set = ["SET", KEY, "somebody", "PX", "600000"];
    assert_eq!(redis.cli(&set).await.unwrap().trim(), "OK");
    eventually(LEASE, async || match exports(&elected).await? {
        false => Ok(()),
        true => Err("it still exports".to_owned()),
    })
    .await;
    assert!(!exports(&other).await.unwrap());
    assert_eq!(redis.cli(&["GET", KEY]).await.unwrap().trim(), "somebody");
    assert_eq!(redis.cli(&["DEL", KEY]).await.unwrap().trim(), "1");
    let (elected, other) = elect(elected, other).await;

    // Redis is down: the leader exports until its lease expires, and no longer.
    redis.kill9();
    eventually(2 * LEASE, async || match exports(&elected).await? {
        false => Ok(()),
        true => Err("it still exports".to_owned()),
    })
    .await;
    assert!(!exports(&other).await.unwrap());
    redis.restart().await.unwrap();
    user(&redis).await;
    let (elected, other) = elect(elected, other).await;
    elected.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn kubernetes_elects_and_nothing_is_written_to_redis() {
    let redis = Redis::start().await.unwrap();
    // This user has no write permission.
    allow(&redis, &[RIGHTS]).await;
    fill(&redis, QUEUE, &["--waiting", "3"]).await;
    let server = ApiServer::start("shop").await.unwrap();
    let (section, variables) = pod(&server);
    let mut variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    // The token appears in no line, even at the most verbose level.
    variables.push(("VIGIE__LOG__FILTER", "trace"));
    let sections = sections(&redis) + &section;
    let candidate = || Vigie::launch(&sections, &variables);

    let (elected, other) = elect(candidate(), candidate()).await;
    let waiting = [("queue", QUEUE), ("state", "waiting")];
    eventually(SOON, async || {
        let page = elected.scrape().await;
        match page.value("queue_jobs_total", &waiting) {
            Some(3.0) => Ok(()),
            found => Err(format!("{found:?}")),
        }
    })
    .await;
    let holder = || server.lease("vigie-exporter").unwrap()["spec"]["holderIdentity"].clone();
    // Without the API server there is no leader; when it returns one is elected.
    server.set(Mood::Hangs);
    eventually(2 * LEASE, async || match exports(&elected).await? {
        false => Ok(()),
        true => Err("it still exports".to_owned()),
    })
    .await;
    assert!(!exports(&other).await.unwrap());
    server.set(Mood::Well);
    let (mut elected, other) = elect(elected, other).await;
    let before = holder();
    elected.program.process.kill9();
    until_exports(&other, 2 * LEASE).await;
    assert_ne!(holder(), before);
    server.rotate_token().unwrap();

    let (code, line) = check(&sections, &variables).await;
    assert_eq!(code, Some(0), "{line}");
    let name = holder().as_str().unwrap().to_owned();
    let expected = format!("may be elected; the current leader is {name}");
    assert!(
        line.contains("kubernetes shop/vigie-exporter") && line.contains(&expected),
        "{line}"
    );
    let log = other.program.log();
    assert!(log.contains(&name) && !log.contains("token-"), "{log}");
    other.stop().await;
    assert_eq!(holder(), "");
    assert_eq!(redis.cli(&["EXISTS", KEY]).await.unwrap().trim(), "0");

    server.allow(&["get"]);
    let (code, lines) = check(&sections, &variables).await;
    assert_eq!(code, Some(1));
    assert!(
        lines.contains("FAILED  this account may not update the Lease"),
        "{lines}"
    );
    assert!(lines.contains("bind a Role with these verbs"), "{lines}");
    let (code, lines) = check(&sections, &[]).await;
    assert_eq!(code, Some(1));
    assert!(
        lines.contains("KUBERNETES_SERVICE_HOST is not set"),
        "{lines}"
    );
}

#[tokio::test]
async fn the_rights_to_a_lease_in_redis_are_checked_without_taking_it() {
    let redis = Redis::start().await.unwrap();
    user(&redis).await;
    let sections = sections(&redis);
    let (code, line) = check(&sections, &[]).await;
    assert_eq!(code, Some(0), "{line}");
    assert!(
        line.contains("ok      may be elected; currently there is no leader"),
        "{line}"
    );
    assert_eq!(redis.cli(&["DBSIZE"]).await.unwrap().trim(), "0");
    redis.cli(&["SET", KEY, "somebody"]).await.unwrap();
    let (_, line) = check(&sections, &[]).await;
    assert!(line.contains("the current leader is somebody"), "{line}");
    assert_eq!(redis.cli(&["GET", KEY]).await.unwrap().trim(), "somebody");
    // Each missing permission is reported.
    for right in LEASE_RIGHTS.split_whitespace() {
        let rest: Vec<_> = LEASE_RIGHTS
            .split_whitespace()
            .filter(|other| *other != right)
            .collect();
        allow(&redis, &[RIGHTS, &rest.join(" ")]).await;
        let (code, lines) = check(&sections, &[]).await;
        assert_eq!(code, Some(1), "{right}");
        assert!(
            lines.contains("FAILED") && lines.contains(right),
            "{right}: {lines}"
        );
    }
    assert_eq!(redis.cli(&["GET", KEY]).await.unwrap().trim(), "somebody");
}
