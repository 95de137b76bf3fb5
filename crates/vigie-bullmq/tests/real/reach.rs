//! All ways to connect to Redis: TLS with minimal permissions, a Unix socket, Sentinels.

use std::time::Duration;

use vigie_bullmq::{Error, probe};
use vigie_redis::{Endpoint, TlsFiles, TlsProblem};
use vigie_testkit::{Certificates, Redis, RedisOptions, Script, Sentinel, eventually, ports};

use crate::faults::never_falls;
use crate::reads_only::RIGHTS;
use crate::support::{SCRIPT, SOON, run, run_jobs, settings, watch};

#[tokio::test]
async fn over_tls_with_a_client_certificate_and_the_least_rights() {
    let ca = Certificates::new().await.unwrap();
    let (certificate, key) = ca.issue("server", 2).await.unwrap();
    let port = ports::free();
    let files = [("--tls-cert-file", certificate), ("--tls-key-file", key)];
    let mut args = vec!["--tls-port".to_owned(), port.to_string()];
    for (name, path) in files.into_iter().chain([("--tls-ca-cert-file", ca.ca())]) {
        args.extend([name.to_owned(), path.display().to_string()]);
    }
    let options = RedisOptions {
        args,
        ..RedisOptions::default()
    };
    let redis = Redis::start_with(options).await.unwrap();
    let rights: Vec<_> = RIGHTS.split_whitespace().collect();
    let user = [&["ACL", "SETUSER", "vigie"], &rights[..]].concat();
    redis.cli(&user).await.unwrap();

    let url = format!("rediss://vigie:pass@127.0.0.1:{port}");
    let trusting = TlsFiles {
        ca: Some(ca.ca()),
        client: Some(ca.issue("vigie", 2).await.unwrap()),
    };
    let endpoint = |tls: &TlsFiles| Endpoint::new(&url, tls.clone()).unwrap();
    let mut over_tls = settings("redis://127.0.0.1");
    over_tls.redis = endpoint(&trusting);
    let watched = watch(over_tls.clone());
    watched.until_swept().await;
    run_jobs(&redis, "work", 500).await;
    let completed = [("queue", "work"), ("state", "completed")];
    watched
        .until("queue_jobs_total", &completed, Some(450.0))
        .await;
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));

    let other_ca = Certificates::new().await.unwrap();
    let expired = ca.issue("late", -1).await.unwrap();
    let foreign = other_ca.issue("stranger", 2).await.unwrap();
    let with = |client| TlsFiles {
        ca: Some(ca.ca()),
        client,
    };
    let wrong_ca = TlsFiles {
        ca: Some(other_ca.ca()),
        ..trusting.clone()
    };
    for (tls, expected) in [
        (wrong_ca, TlsProblem::UnknownCa),
        (with(None), TlsProblem::ClientCertificateMissing),
        (with(Some(expired)), TlsProblem::ClientCertificateExpired),
        (with(Some(foreign)), TlsProblem::ClientCaUnknown),
    ] {
        over_tls.redis = endpoint(&tls);
        let error = probe(&over_tls).await.unwrap_err();
        let text = error.to_string();
        let Error::Connect(error) = error else {
            panic!("{text}");
        };
        assert_eq!(error.tls(), Some(expected), "{text}");
        assert!(text.contains(&expected.to_string()) && !text.contains("pass"));
    }
}

#[tokio::test]
async fn by_a_unix_socket_in_another_database() {
    let options = RedisOptions {
        unix_socket: true,
        ..RedisOptions::default()
    };
    let redis = Redis::start_with(options).await.unwrap();
    let socket = redis.unix_socket().unwrap();
    let jobs = ["-n", "2", "RPUSH", "bull:there:wait", "1", "2"];
    redis.cli(&jobs).await.unwrap();
    let meta = [
        "-n",
        "2",
        "HSET",
        "bull:there:meta",
        "version",
        "bullmq:5.81.5",
    ];
    redis.cli(&meta).await.unwrap();
    run("testing/fill.js", &redis, &["--queue=here", "--waiting=1"]).await;
    for (url, expected) in [
        (format!("unix://{}?db=2", socket.display()), "there"),
        (format!("redis+unix://{}", socket.display()), "here"),
        (format!("{}/2", redis.url()), "there"),
    ] {
        let mut settings = settings("redis://127.0.0.1");
        settings.redis = Endpoint::new(&url, TlsFiles::default()).unwrap();
        let found = probe(&settings).await.unwrap();
        let names: Vec<_> = found.iter().map(|queue| queue.name.as_str()).collect();
        assert_eq!(names, [expected], "{url}");
    }
}

#[tokio::test]
async fn a_failover_under_load() {
    failover(None).await;
}

/// Sentinels and servers each have a certificate, and require one from each client.
#[tokio::test]
async fn a_failover_over_tls() {
    let ca = Certificates::new().await.unwrap();
    failover(Some(&ca)).await;
}

/// The port for clients, and the arguments to listen on it.
async fn listener(ca: Option<&Certificates>, name: &str) -> (u16, Vec<(&'static str, String)>) {
    match ca {
        Some(ca) => {
            let port = ports::free();
            let directives = ca.of_server(name, port).await.unwrap();
            (port, directives.to_vec())
        }
        None => (0, Vec::new()),
    }
}

async fn server(ca: Option<&Certificates>, name: &str, args: &[&str]) -> (Redis, u16) {
    let (port, directives) = listener(ca, name).await;
    let directives = directives.into_iter();
    let tls = directives.flat_map(|(word, value)| [format!("--{word}"), value]);
    let args = args.iter().map(|arg| (*arg).to_owned());
    let options = RedisOptions {
        args: tls.chain(args).collect(),
        ..RedisOptions::default()
    };
    let redis = Redis::start_with(options).await.unwrap();
    let port = if ca.is_some() { port } else { redis.port() };
    (redis, port)
}

async fn sentinel_of(ca: Option<&Certificates>, name: &str, master: u16) -> (Sentinel, u16) {
    let (port, directives) = listener(ca, name).await;
    let sentinel = Sentinel::watch_with(master, &directives).await.unwrap();
    let port = if ca.is_some() { port } else { sentinel.port() };
    (sentinel, port)
}

/// Waits until the replica has received all that was written.
async fn replicate(master: &Redis) {
    let client = redis::Client::open(master.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    // `WAIT` waits for the writes of its own connection, and so for all earlier ones.
    let mut write = redis::pipe();
    write.cmd("SET").arg("replicated").arg("1").ignore();
    write.cmd("WAIT").arg(1).arg(SOON.as_millis() as u64);
    let [replicas]: [u64; 1] = write.query_async(&mut connection).await.unwrap();
    assert_eq!(replicas, 1);
}

async fn failover(ca: Option<&Certificates>) {
    let quick = ["--repl-diskless-sync-delay", "0"];
    let (mut master, master_port) = server(ca, "master", &quick).await;
    let of = ["--replicaof", "127.0.0.1", &master_port.to_string()];
    let (_replica, replica_port) = server(ca, "replica", &of).await;
    let (sentinel, sentinel_port) = sentinel_of(ca, "sentinel", master_port).await;
    let (hanging, hanging_port) = sentinel_of(ca, "hanging", master_port).await;
    eventually(SCRIPT, async || {
        let found = sentinel.replicas().await;
        match found {
            Ok(1) => Ok(()),
            found => Err(format!("{found:?} replicas")),
        }
    })
    .await;
    hanging.freeze();

    let scheme = ca.map_or("redis-sentinel", |_| "rediss-sentinel");
    let url = format!(
        "{scheme}://127.0.0.1:{hanging_port},127.0.0.1:1,127.0.0.1:{sentinel_port}/mymaster"
    );
    let mut followed = settings("redis://127.0.0.1");
    // The frozen Sentinel is given up within this time.
    followed.timeout = Duration::from_secs(5);
    let mut files = TlsFiles::default();
    if let Some(ca) = ca {
        files.ca = Some(ca.ca());
        followed.redis = Endpoint::new(&url, files.clone()).unwrap();
        let error = probe(&followed).await.unwrap_err();
        let text = error.to_string();
        let Error::Connect(error) = error else {
            panic!("{text}");
        };
        let expected = Some(TlsProblem::ClientCertificateMissing);
        assert_eq!(error.tls(), expected, "{text}");
        files.client = Some(ca.issue("vigie", 2).await.unwrap());
    }
    followed.redis = Endpoint::new(&url, files.clone()).unwrap();
    let watched = watch(followed);
    watched.until_swept().await;

    let script =
        Script::new("testing/failover.js").args(["--sentinel", &sentinel_port.to_string()]);
    let script = match (&files.ca, &files.client) {
        (Some(ca), Some((certificate, key))) => {
            let script = script.args(["--ca".as_ref(), ca.as_os_str()]);
            let script = script.args(["--cert".as_ref(), certificate.as_os_str()]);
            script.args(["--key".as_ref(), key.as_os_str()])
        }
        _ => script,
    };
    let mut load = script.spawn().unwrap();
    let until_done = async |load: &mut vigie_testkit::Process, failed: bool| loop {
        let said = load.next_json(SCRIPT).await.unwrap();
        let number = |field: &str| said[field].as_u64().unwrap();
        if number("since") >= 200 && (number("failures") > 0) == failed {
            return number("finished") as f64;
        }
    };
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    let completed = [("queue", "work"), ("state", "completed")];
    let waiting = [("queue", "work"), ("state", "waiting")];
    let counted = || {
        let lost = watched.value("bullmq_events_lost_total", &of_queue);
        let done = watched.value("queue_jobs_total", &completed);
        (done.unwrap_or(0.0), lost.unwrap_or(0.0))
    };
    let until_counted = async |finished: f64| {
        eventually(SOON, async || match counted() {
            // Outcomes lost with the master were not recovered, but reported.
            (done, lost) if done + lost >= finished => Ok(()),
            (done, lost) => Err(format!("{done} and {lost} lost of {finished}")),
        })
        .await;
    };
    never_falls(&watched, async {
        let finished = until_done(&mut load, false).await;
        until_counted(finished).await;

        // The replica has received everything when the master dies, apart from commands that were still on their way.
        load.freeze();
        replicate(&master).await;
        master.kill9();
        load.thaw();
        watched
            .until("vigie_source_up", &[("source", "redis")], Some(0.0))
            .await;
        assert_eq!(watched.value("queue_jobs_total", &waiting), None);
        let finished = until_done(&mut load, true).await;
        assert_eq!(sentinel.master().await.unwrap(), replica_port);
        until_counted(finished).await;
        // Levels are read by another connection than events.
        eventually(SOON, async || {
            let level = watched.value("queue_jobs_total", &waiting);
            level.map(|_| ()).ok_or("no level".to_owned())
        })
        .await;
        // No loss is recovered.
        let (done, lost) = counted();
        assert!(lost < 100.0, "{lost} lost, {done} counted of {finished}");
    })
    .await;
    load.close_stdin();
    let mut finished = 0.0;
    while let Ok(said) = load.next_json(SCRIPT).await {
        finished = said["finished"].as_f64().unwrap();
    }
    // Nothing is counted twice either; for some jobs the worker did not receive the reply that they were done.
    let (done, _) = counted();
    assert!(done <= finished + 50.0, "{done} counted of {finished}");
}
