//! A Redis Cluster.

use vigie_probes::{Check as _, FailureKind, Redis};
use vigie_redis::{Endpoint, TlsFiles};
use vigie_testkit::{Cluster, Redis as Server, SOON, eventually};

use crate::watch::{TIMEOUT, failure, failure_within, passes};

fn check(url: &str) -> Redis {
    Redis::at("redis", Endpoint::new(url, TlsFiles::default()).unwrap())
}

#[tokio::test]
async fn every_master_answers_and_every_slot_is_owned() {
    let mut cluster = Cluster::start(3, 0).await.unwrap();
    let mut check = check(&cluster.url());
    assert!(check.target().starts_with("redis cluster 127.0.0.1:"));
    passes(&mut check).await;
    passes(&mut check).await;

    let dead = format!("127.0.0.1:{}", cluster.nodes()[1].port());
    cluster.node_mut(1).kill9();
    let failed = failure(&mut check).await;
    assert_eq!(failed.kind(), FailureKind::Unreachable);
    let text = failed.text();
    assert!(
        text.contains(&format!("{dead}: connection refused")),
        "{text}"
    );
    cluster.node_mut(1).restart().await.unwrap();
    eventually(SOON, async || {
        let outcome = check.run(SOON).await;
        outcome.map_err(|failure| failure.to_string())
    })
    .await;

    cluster.nodes()[1].freeze();
    let failed = failure_within(&mut check, TIMEOUT).await;
    assert_eq!(failed.kind(), FailureKind::TimedOut);
    assert!(failed.text().contains(&dead), "{}", failed.text());
    cluster.nodes()[1].thaw();

    // All nodes agree that the slot has no owner.
    cluster
        .cli_all(&["CLUSTER", "DELSLOTS", "0"])
        .await
        .unwrap();
    eventually(SOON, async || match check.run(SOON).await {
        Err(failure) if failure.text().contains("1 of 16384 slots") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn few_permissions_are_enough_and_no_secret_is_shown() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    let user = "ACL SETUSER vigie on >hunter2 -@all +ping +cluster|slots +cluster|info";
    let user: Vec<_> = user.split(' ').collect();
    cluster.cli_all(&user).await.unwrap();
    let url = cluster.url().replace("://", "://vigie:hunter2@");
    let mut few = check(&url);
    passes(&mut few).await;
    let fewer = ["ACL", "SETUSER", "vigie", "-cluster|info"];
    cluster.cli_all(&fewer).await.unwrap();
    passes(&mut few).await;
    let failed = failure(&mut check(&url.replace("hunter2", "hunter3"))).await;
    assert_eq!(failed.kind(), FailureKind::Denied);
    assert!(!failed.text().contains("hunter"), "{}", failed.text());
}

#[tokio::test]
async fn the_other_kind_of_address_is_suggested() {
    let cluster = Cluster::start(1, 0).await.unwrap();
    let failed = failure(&mut check(&cluster.nodes()[0].url())).await;
    assert!(
        failed.text().contains("part of a cluster"),
        "{}",
        failed.text()
    );
    assert!(failed.advice().contains("nodes of the cluster"));
    let single = Server::start().await.unwrap();
    let url = single.url().replace("redis://", "redis-cluster://");
    let failed = failure(&mut check(&url)).await;
    assert!(
        failed.text().contains("not part of a cluster"),
        "{}",
        failed.text()
    );
    assert!(failed.advice().contains("redis://"));
}
