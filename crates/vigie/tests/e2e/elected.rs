//! `queues.exporter = "elected"`: of two Vigies on one Redis one shows the queues, and when it is gone the other does.

use std::time::Duration;

use vigie_testkit::promtext::{Format, Scrape};
use vigie_testkit::{Redis, eventually, http};

use crate::common::{Vigie, fill};
use crate::jobs::run;

/// Renewed every two seconds.
const LEASE: Duration = Duration::from_secs(6);
const SOON: Duration = Duration::from_secs(30);
const KEY: &str = "vigie:exporter";
const QUEUE: &str = "mail";

/// The rights that the documentation names, and no other.
const RIGHTS: &str = "~bull:* ~vigie:exporter resetchannels -@all +hello +auth +select +ping +scan +llen +lrange +zcard \
                      +zcount +zrangebyscore +hget +hmget +exists +xread +xinfo|stream +time +client|list \
                      +watch +unwatch +multi +exec +get +set +pexpire +del";

/// The user, whom Redis forgets when it ends.
async fn user(redis: &Redis) {
    let create = ["ACL", "SETUSER", "vigie", "reset", "on", ">secret"];
    let rights = RIGHTS.split_whitespace();
    let command: Vec<_> = create.into_iter().chain(rights).collect();
    assert_eq!(redis.cli(&command).await.unwrap().trim(), "OK");
}

fn candidate(redis: &Redis) -> Vigie {
    let port = redis.port();
    let sections = format!(
        "[redis]\nurl = \"redis://vigie:secret@127.0.0.1:{port}\"\ndiscover_every = \"200ms\"\n\
         [queues]\nexporter = \"elected\"\nlease = \"{LEASE:?}\"\n"
    );
    Vigie::launch(&sections, &[])
}

/// Whether this one exports. Its page has the queues if and only if it does.
async fn exports(vigie: &Vigie) -> Result<bool, String> {
    let page = http::get(vigie.admin, "/metrics").await;
    let page = page.map_err(|error| error.to_string())?.text();
    let scrape = Scrape::parse(&page, Format::Text).unwrap();
    let says = scrape.value("vigie_queues_exporter", &[]) == Some(1.0);
    // A gauge that is there from the start on; and the rest goes with it.
    let shows = scrape.family("bullmq_queues").is_some();
    assert_eq!(says, shows, "{page}");
    let queues = |name: &str| name.starts_with("bullmq_") || name == "queue_jobs_total";
    let none = !scrape.families().iter().any(|family| queues(&family.name));
    assert_eq!(says, !none, "{page}");
    Ok(says)
}

/// How many failures of the queue are shown.
async fn failed(vigie: &Vigie) -> Option<f64> {
    let of = [("queue", QUEUE), ("state", "failed")];
    vigie.scrape().await.value("queue_jobs_total", &of)
}

/// Waits until this one exports.
async fn until_exports(vigie: &Vigie, within: Duration) {
    eventually(within, async || match exports(vigie).await? {
        true => Ok(()),
        false => Err("it does not export".to_owned()),
    })
    .await;
}

/// Both, the one that exports first.
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
    // Scalers are answered by every one of them.
    let path = format!("/queues?queue={QUEUE}");
    assert_eq!(other.get(&path).await.status, 200);

    elected.program.process.kill9();
    until_exports(&other, 2 * LEASE).await;
    // It has followed all the time: nothing begins at 0 again.
    assert_eq!(failed(&other).await, Some(20.0));

    // A Vigie that ends in order gives its lease back; the next need not wait for the end of it.
    let third = candidate(&redis);
    let holder = redis.cli(&["GET", KEY]).await.unwrap();
    assert!(holder.contains(':'), "{holder}");
    other.stop().await;
    until_exports(&third, 2 * LEASE).await;
    let holder_now = redis.cli(&["GET", KEY]).await.unwrap();
    assert_ne!(holder, holder_now);
    third.stop().await;
    assert_eq!(redis.cli(&["EXISTS", KEY]).await.unwrap().trim(), "0");
}

#[tokio::test]
async fn there_are_never_two() {
    let mut redis = Redis::start().await.unwrap();
    user(&redis).await;
    let (elected, other) = elect(candidate(&redis), candidate(&redis)).await;

    // It sleeps through the end of its lease, and knows when it wakes up.
    elected.program.process.freeze();
    until_exports(&other, 2 * LEASE).await;
    elected.program.process.thaw();
    assert!(!exports(&elected).await.unwrap());
    let (elected, other) = (other, elected);

    // Redis comes back with its data: one exports, whichever.
    redis.kill9();
    redis.restart().await.unwrap();
    user(&redis).await;
    let (elected, other) = elect(elected, other).await;

    // The lease is somebody else's, although it was not over: it learns of it at its next renewal.
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

    // Redis is gone: it exports until its lease ends, and not a moment longer.
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
