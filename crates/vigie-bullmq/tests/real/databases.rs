//! Several databases of one server.

use vigie_bullmq::{Tick, probe};
use vigie_redis::{Endpoint, TlsFiles};
use vigie_testkit::{Redis, eventually};

use crate::faults::never_falls;
use crate::support::{SOON, run, settings, watch};

const DATABASES: [u16; 2] = [0, 3];

fn of(redis: &Redis) -> vigie_bullmq::Settings {
    let mut settings = settings("redis://127.0.0.1");
    settings.redis = Endpoint::new(&redis.url(), TlsFiles::default()).unwrap();
    settings.databases = DATABASES.to_vec();
    settings.compatible = true;
    settings.signals_every = std::time::Duration::from_millis(200);
    settings.workers_every = std::time::Duration::from_millis(200);
    settings
}

/// Runs a driver in a database.
async fn run_in(path: &'static str, redis: &Redis, database: u16, args: &[&str]) {
    let url = format!("{}/{database}", redis.url());
    run(path, redis, &[&["--redis", &url], args].concat()).await;
}

#[tokio::test]
async fn queues_of_one_name_are_separated_by_database_and_summed() {
    let mut redis = Redis::start().await.unwrap();
    // A database that is not watched.
    run_in(
        "testing/fill.js",
        &redis,
        7,
        &["--queue=work", "--waiting=9"],
    )
    .await;
    let mut settings = of(&redis);
    settings.tick = Some(Tick {
        queue: "work".into(),
        job: None,
    });
    let watched = watch(settings);
    watched.until_swept().await;
    never_falls(&watched, async {
        let jobs = async |database, jobs: &str| {
            run_in("testing/jobs.js", &redis, database, &["--jobs", jobs]).await;
        };
        tokio::join!(jobs(0, "200"), jobs(3, "600"));
        for (database, completed) in [("0", 180.0), ("3", 540.0)] {
            let labels = [
                ("database", database),
                ("prefix", "bull"),
                ("queue", "work"),
                ("outcome", "completed"),
            ];
            eventually(SOON, async || {
                match watched.sum("bullmq_jobs_finished_total", &labels) {
                    found if found == completed => Ok(()),
                    found => Err(format!("{found} of {completed}")),
                }
            })
            .await;
        }
    })
    .await;
    assert_eq!(watched.jobs("work", "completed"), Some(720.0));
    assert_eq!(watched.jobs("work", "failed"), Some(80.0));
    let compatible = [("queue", "work")];
    assert_eq!(
        watched.value("bullmq_job_completed_total", &compatible),
        Some(720.0)
    );
    assert_eq!(
        watched.sum("production_tick_duration_seconds_count", &[]),
        800.0
    );

    for (database, waiting) in [(0, "1"), (3, "2")] {
        let waiting = ["--queue=work", "--waiting", waiting];
        run_in("testing/fill.js", &redis, database, &waiting).await;
    }
    let row = [("queue", "work"), ("state", "waiting")];
    watched.until("queue_jobs_total", &row, Some(3.0)).await;
    for (database, waiting) in [("0", 1.0), ("3", 2.0)] {
        let of = [
            ("database", database),
            ("prefix", "bull"),
            ("queue", "work"),
            ("state", "waiting"),
        ];
        watched.until("bullmq_jobs", &of, Some(waiting)).await;
    }
    let status = watched.watcher.status();
    let found = status.queues.iter();
    let found = found.map(|queue| (queue.name.as_str(), queue.database));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [("work", Some(0)), ("work", Some(3))]
    );
    assert_eq!(watched.value("bullmq_queues", &[]), Some(2.0));
    let probed = probe(&of(&redis)).await.unwrap();
    let probed = probed.iter();
    let probed: Vec<_> = probed
        .map(|queue| (queue.database, queue.levels.states[0]))
        .collect();
    assert_eq!(probed, [(Some(0), Some(1)), (Some(3), Some(2))]);

    // A server failure affects all databases, and counts are kept.
    redis.kill9();
    watched
        .until("vigie_source_up", &[("source", "redis")], Some(0.0))
        .await;
    watched.until("queue_jobs_total", &row, None).await;
    assert_eq!(watched.jobs("work", "completed"), Some(720.0));
    eventually(SOON, async || {
        let error = watched.watcher.status().error.unwrap_or_default();
        match ["database 0: ", "database 3: "]
            .iter()
            .all(|name| error.contains(name))
        {
            true => Ok(()),
            false => Err(error),
        }
    })
    .await;
    redis.restart().await.unwrap();
    watched.until("queue_jobs_total", &row, Some(3.0)).await;
}

#[tokio::test]
async fn workers_are_those_of_the_database_and_one_that_goes_takes_its_series() {
    let redis = Redis::start().await.unwrap();
    let mut settings = of(&redis);
    settings.forget_after = std::time::Duration::from_millis(300);
    let watched = watch(settings);
    watched.until_swept().await;
    for database in DATABASES {
        run_in("testing/fill.js", &redis, database, &["--queue=work"]).await;
    }
    // A worker's connection in the client list.
    let client = redis::Client::open(format!("{}/3", redis.url())).unwrap();
    let mut worker = client.get_multiplexed_async_connection().await.unwrap();
    let mut name = redis::cmd("CLIENT");
    name.arg("SETNAME").arg("bull:d29yaw==");
    name.exec_async(&mut worker).await.unwrap();
    for (database, workers) in [("0", 0.0), ("3", 1.0)] {
        let of = [
            ("database", database),
            ("prefix", "bull"),
            ("queue", "work"),
        ];
        watched.until("bullmq_workers", &of, Some(workers)).await;
    }

    redis.cli(&["-n", "0", "FLUSHDB"]).await.unwrap();
    eventually(SOON, async || {
        let scrape = watched.scrape();
        let left = scrape.families().iter().flat_map(|family| &family.samples);
        match left
            .clone()
            .find(|sample| sample.label("database") == Some("0"))
        {
            Some(sample) => Err(format!("{sample:?} is still there")),
            None => Ok(()),
        }
    })
    .await;
    let of = [("database", "3"), ("prefix", "bull"), ("queue", "work")];
    assert_eq!(watched.value("bullmq_workers", &of), Some(1.0));
    watched.until_jobs("work", "waiting", Some(0.0)).await;
}
