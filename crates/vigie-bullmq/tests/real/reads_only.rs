//! The watcher only reads, with few permissions and few round trips.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use vigie_bullmq::probe;
use vigie_testkit::{Redis, eventually};

use crate::support::{SOON, run, run_jobs, settings, watch};

/// A turn has ended when no byte follows within this time.
const SILENCE: Duration = Duration::from_millis(500);

/// The minimal permissions of the watcher's user.
pub(crate) const RIGHTS: &str = "on >pass ~bull:* resetchannels -@all +hello +auth +select +ping +scan +llen \
                      +lrange +zcard +zcount +zrangebyscore +get +pttl +hget +hmget +hstrlen +exists +xread \
                      +xrevrange +xinfo|stream +time +client|list";

#[tokio::test]
async fn the_least_rights_are_enough() {
    let redis = Redis::start().await.unwrap();
    let rights: Vec<_> = RIGHTS.split_whitespace().collect();
    redis
        .cli(&[&["ACL", "SETUSER", "vigie"], &rights[..]].concat())
        .await
        .unwrap();
    run(
        "testing/fill.js",
        &redis,
        &["--prefix=secret", "--queue=hidden", "--waiting=1"],
    )
    .await;
    let mut settings = settings(&format!("redis://vigie:pass@127.0.0.1:{}", redis.port()));
    settings.signals_every = Duration::from_millis(200);
    settings.workers_every = Duration::from_millis(200);
    let watched = watch(settings);
    watched.until_swept().await;
    run_jobs(&redis, "work", 500).await;
    run(
        "testing/fill.js",
        &redis,
        &["--queue=work", "--waiting=2", "--delayed=3"],
    )
    .await;
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "work"), ("state", "failed")],
            Some(50.0),
        )
        .await;
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "work"), ("state", "delayed")],
            Some(3.0),
        )
        .await;
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    for signal in [
        "bullmq_oldest_active_age_seconds",
        "bullmq_active_without_lock",
        "bullmq_delayed_overdue",
        "bullmq_scheduler_late_seconds",
        "bullmq_schedulers",
        "bullmq_oldest_waiting_children_age_seconds",
        "bullmq_rate_limited",
        "bullmq_workers",
        "bullmq_queue_paused",
    ] {
        watched.until(signal, &of_queue, Some(0.0)).await;
    }
    eventually(SOON, async || {
        match watched.value("bullmq_oldest_waiting_age_seconds", &of_queue) {
            Some(0.0) | None => Err("nothing seems to wait".to_owned()),
            Some(_) => Ok(()),
        }
    })
    .await;
    // As set by `rateLimit()`, and a pause without an event.
    let by_hand = [
        "SET",
        "bull:work:limiter",
        "9007199254740991",
        "PX",
        "100000",
    ];
    redis.cli(&by_hand).await.unwrap();
    watched
        .until("bullmq_rate_limited", &of_queue, Some(1.0))
        .await;
    let pause = ["HSET", "bull:work:meta", "paused", "1"];
    redis.cli(&pause).await.unwrap();
    eventually(SOON, async || {
        match watched.value("bullmq_queue_paused_seconds", &of_queue) {
            Some(age) if age > 0.0 => Ok(()),
            age => Err(format!("paused for {age:?}")),
        }
    })
    .await;
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
    assert_eq!(
        watched.value("bullmq_queues", &[]),
        Some(1.0),
        "no right, no queue"
    );

    // A missing permission is reported, without credentials.
    redis
        .cli(&["ACL", "SETUSER", "vigie", "-llen"])
        .await
        .unwrap();
    watched
        .until("vigie_source_up", &[("source", "redis")], Some(0.0))
        .await;
    let error = watched.watcher.status().error.unwrap();
    assert!(error.contains("llen") && !error.contains("pass"), "{error}");
    redis
        .cli(&["ACL", "SETUSER", "vigie", "+llen"])
        .await
        .unwrap();
    watched
        .until("vigie_source_up", &[("source", "redis")], Some(1.0))
        .await;
}

#[tokio::test]
async fn no_command_writes() {
    let redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    settings.signals_every = Duration::from_millis(200);
    settings.workers_every = Duration::from_millis(200);
    let watched = watch(settings);
    watched.until_swept().await;
    run_jobs(&redis, "work", 200).await;
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "work"), ("state", "failed")],
            Some(20.0),
        )
        .await;
    redis.cli(&["CONFIG", "RESETSTAT"]).await.unwrap();
    // Every kind of inspection, including the check of an idle stream after its last entry. Redis 6.2 counts commands
    // without subcommands.
    let expected = ["llen", "zcard", "scan", "xread", "time"];
    let either = [["xinfo", "xinfo|stream"], ["client", "client|list"]];
    let used = async || {
        let stats = redis.cli(&["INFO", "commandstats"]).await.unwrap();
        let names = stats.lines().filter_map(|line| {
            let name = line.strip_prefix("cmdstat_")?.split(':').next();
            name.map(str::to_owned)
        });
        names.collect::<BTreeSet<_>>()
    };
    eventually(SOON, async || {
        let used = used().await;
        let all = expected.iter().all(|command| used.contains(*command));
        let both = either
            .iter()
            .all(|names| names.iter().any(|name| used.contains(*name)));
        match all && both {
            true => Ok(()),
            false => Err(format!("{used:?}")),
        }
    })
    .await;
    let reads = [
        "client|list",
        "exists",
        "get",
        "hget",
        "hmget",
        "llen",
        "lrange",
        "ping",
        "pttl",
        "scan",
        "time",
        "xinfo|stream",
        "xread",
        "xrevrange",
        "zcard",
        "zcount",
        "zrangebyscore",
    ];
    let tests_own = ["config|resetstat", "info"];
    let whole = ["client", "config", "xinfo"];
    let allowed = reads.into_iter().chain(tests_own).chain(whole);
    let allowed: BTreeSet<_> = allowed.map(str::to_owned).collect();
    let used = used().await;
    assert!(used.is_subset(&allowed), "{used:?}");
}

/// Forwards to Redis in alternating turns, and counts them: all requests until the client pauses, then all replies.
async fn turns(port: u16) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let turns = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&turns);
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        loop {
            let Ok(asked) = turn(&mut client).await else {
                return;
            };
            counter.fetch_add(1, Ordering::SeqCst);
            let (mut reader, mut writer) = server.split();
            // Redis stops reading from clients that do not read its replies.
            let (_, answers) = tokio::join!(writer.write_all(&asked), turn(&mut reader));
            client.write_all(&answers.unwrap()).await.unwrap();
        }
    });
    (addr, turns)
}

async fn turn(from: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Vec<u8>> {
    let mut said = vec![from.read_u8().await?];
    while let Ok(more) = timeout(SILENCE, from.read_buf(&mut said)).await {
        if more? == 0 {
            break;
        }
    }
    Ok(said)
}

#[tokio::test]
async fn a_thousand_queues_are_counted_in_one_round_trip() {
    let mut turns_taken = Vec::new();
    for queues in [10, 1_000] {
        let redis = Redis::start().await.unwrap();
        let client = redis::Client::open(redis.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut pipeline = redis::pipe();
        for queue in 0..queues {
            let meta = format!("bull:q{queue}:meta");
            pipeline
                .cmd("HSET")
                .arg(meta)
                .arg("version")
                .arg("bullmq:5.81.5");
            pipeline
                .cmd("LPUSH")
                .arg(format!("bull:q{queue}:wait"))
                .arg(1);
        }
        let _: redis::Value = pipeline.query_async(&mut connection).await.unwrap();
        redis.cli(&["CONFIG", "RESETSTAT"]).await.unwrap();
        let (addr, turns) = turns(redis.port()).await;
        let mut settings = settings(&format!("redis://{addr}"));
        settings.timeout = SOON;
        let found = probe(&settings).await.unwrap();
        assert_eq!(found.len(), queues);
        let stats = redis.cli(&["INFO", "commandstats"]).await.unwrap();
        let calls = |command: &str| {
            let prefix = format!("cmdstat_{command}:calls=");
            let rest = stats
                .lines()
                .find_map(|line| line.strip_prefix(&prefix))
                .unwrap();
            rest.split(',').next().unwrap().parse::<usize>().unwrap()
        };
        assert_eq!(calls("zcard"), 5 * queues);
        assert_eq!(calls("llen"), 3 * queues);
        // The sweep takes one turn per step; the remaining turns must not depend on the number of queues.
        turns_taken.push(turns.load(Ordering::SeqCst) - calls("scan"));
    }
    assert_eq!(turns_taken[0], turns_taken[1]);
    // The handshake, `meta` of all queues, and the counts.
    assert!(turns_taken[0] <= 4, "{turns_taken:?}");
}
