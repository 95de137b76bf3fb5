//! Connecting to a cluster with minimal permissions and TLS; wrong kinds of servers are reported.

use vigie_bullmq::{Error, probe};
use vigie_redis::{Endpoint, TlsFiles};
use vigie_testkit::{Certificates, Cluster, Redis};

use super::{Load, QUEUES, at, of, until_counted, until_levels, until_source, until_workers};
use crate::reads_only::RIGHTS;
use crate::support::watch;

/// Additional permissions in a cluster.
pub(crate) const MORE_RIGHTS: &str = "+cluster|slots +cluster|info";

#[tokio::test]
async fn it_only_reads_with_the_least_rights() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    let rights = RIGHTS
        .split_whitespace()
        .chain(MORE_RIGHTS.split_whitespace());
    let rights: Vec<_> = ["ACL", "SETUSER", "vigie"]
        .into_iter()
        .chain(rights)
        .collect();
    cluster.cli_all(&rights).await.unwrap();
    let url = cluster.url().replace("://", "://vigie:pass@");
    let watched = watch(at(&url));
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &[]).await;
    load.more(&QUEUES, 20.0).await;
    let finished = load.finished("stop").await;
    until_counted(&watched, &finished).await;
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
    for queue in QUEUES {
        until_levels(&watched, queue, true).await;
        until_workers(&watched, queue).await;
    }
    // Other commands are refused and logged by the server.
    for node in cluster.nodes() {
        let refused = node.cli(&["ACL", "LOG"]).await.unwrap();
        assert_eq!(refused, "", "{refused}");
    }
    let found = probe(&at(&url)).await.unwrap();
    let names: Vec<_> = found.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, QUEUES);
}

#[tokio::test]
async fn a_queue_without_a_hash_tag_is_not_followed() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    for queue in ["bull:q1", "bull:q2", "bull:q3", "bull:{t}:q"] {
        let key = format!("{queue}:meta");
        let at = cluster.first_holder(cluster.slot(&key).await.unwrap());
        let set = ["HSET", &key, "version", "bullmq:6.7.0"];
        cluster.nodes()[at].cli(&set).await.unwrap();
    }
    let watched = watch(of(&cluster));
    watched.until("bullmq_queues", &[], Some(1.0)).await;
    watched.until_swept().await;
    let status = watched.watcher.status();
    let names: Vec<_> = status
        .queues
        .iter()
        .map(|queue| queue.name.as_str())
        .collect();
    assert_eq!(names, ["q"]);
    assert_eq!(status.queues[0].prefix, "bull:{t}");
}

#[tokio::test]
async fn a_wrong_kind_of_server_is_reported() {
    let cluster = Cluster::start(1, 0).await.unwrap();
    let node = &cluster.nodes()[0];
    let alone = probe(&at(&node.url())).await.unwrap_err();
    let text = alone.to_string();
    assert!(
        matches!(alone, Error::Connect(vigie_redis::Error::PartOfCluster)),
        "{text}"
    );
    assert!(
        text.contains("part of a cluster: use redis-cluster://"),
        "{text}"
    );
    let watched = watch(at(&node.url()));
    until_source(&watched, "redis", 0.0).await;

    let single = Redis::start().await.unwrap();
    let url = single.url().replace("redis://", "redis-cluster://");
    let error = probe(&at(&url)).await.unwrap_err().to_string();
    assert!(
        error.contains("not part of a cluster: use redis://"),
        "{error}"
    );
    let watched = watch(at(&url));
    until_source(&watched, "redis", 0.0).await;
    let error = watched.watcher.status().error.unwrap();
    assert!(error.contains("not part of a cluster"), "{error}");
}

#[tokio::test]
async fn over_tls_with_a_client_certificate() {
    let ca = Certificates::new().await.unwrap();
    let cluster = Cluster::start_over_tls(3, &ca).await.unwrap();
    let url = cluster.tls_url().await.unwrap();
    // One node suffices to find all.
    let seed = url.split(',').next().unwrap();
    let client = Some(ca.issue("vigie", 2).await.unwrap());
    let tls = TlsFiles {
        ca: Some(ca.ca()),
        client,
    };
    let mut over_tls = at("redis://127.0.0.1");
    over_tls.redis = Endpoint::new(seed, tls).unwrap();
    let watched = watch(over_tls.clone());
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &[]).await;
    load.more(&QUEUES, 20.0).await;
    let finished = load.finished("stop").await;
    until_counted(&watched, &finished).await;
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));

    over_tls.redis = Endpoint::new(seed, TlsFiles::default()).unwrap();
    let error = probe(&over_tls).await.unwrap_err();
    let Error::Connect(error) = error else {
        panic!("{error}");
    };
    assert_eq!(
        error.tls(),
        Some(vigie_redis::TlsProblem::UnknownCa),
        "{error}"
    );
}
