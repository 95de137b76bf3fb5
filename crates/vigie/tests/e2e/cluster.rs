//! A Redis Cluster: one Vigie watches all nodes, each node has its readiness, and the lease is on the node that owns
//! its key.

use std::time::Duration;

use vigie_testkit::{Cluster, Redis, SOON, eventually};

use crate::common::{Program, Vigie};

const KEY: &str = "vigie:exporter";

/// Creates a queue with waiting jobs in BullMQ's format.
async fn fill(cluster: &Cluster, queue: &str, jobs: &[&str]) {
    let at = cluster.first_holder(cluster.slot(queue).await.unwrap());
    let node = &cluster.nodes()[at];
    let [meta, wait] = ["meta", "wait"].map(|part| format!("bull:{queue}:{part}"));
    let set = ["HSET", &meta, "version", "bullmq:6.7.0"];
    node.cli(&set).await.unwrap();
    let push = [&["RPUSH", &wait], jobs].concat();
    node.cli(&push).await.unwrap();
}

fn section(url: &str) -> String {
    format!("[redis]\nurl = {url:?}\ndiscover_every = \"200ms\"\n")
}

async fn check(sections: &str) -> (Option<i32>, String) {
    let files = tempfile::TempDir::new().unwrap();
    let config = files.path().join("vigie.toml");
    let admin = format!("[admin]\nlisten = \"127.0.0.1:0\"\n{sections}");
    std::fs::write(&config, admin).unwrap();
    let arguments = ["check", "--config", config.to_str().unwrap()];
    Program::start(&arguments, &[], &files.path().join("log"))
        .end()
        .await
}

#[tokio::test]
async fn each_node_is_ready_or_reports_the_reason() {
    let mut cluster = Cluster::start(3, 0).await.unwrap();
    fill(&cluster, "{a}", &["1", "2"]).await;
    fill(&cluster, "{b}", &["1"]).await;
    let (code, said) = check(&section(&cluster.url())).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("every master answers PING, every slot is held"),
        "{said}"
    );
    assert!(said.contains("2 queues, 3 waiting, 0 active"), "{said}");

    let mut vigie = Vigie::start(&section(&cluster.url())).await;
    eventually(SOON, async || {
        let page = vigie.get("/queues").await.text();
        let both =
            page.contains("\"{a}\":{\"waiting\":2") && page.contains("\"{b}\":{\"waiting\":1");
        both.then_some(()).ok_or(page)
    })
    .await;

    // The first node owns `{b}`.
    let dead = format!("127.0.0.1:{}", cluster.nodes()[0].port());
    cluster.node_mut(0).kill9();
    for part in ["redis", "queues"] {
        let path = format!("/readyz/{part}");
        eventually(SOON, async || {
            let page = vigie.get(&path).await;
            let text = page.text();
            let is_reported = page.status == 503 && text.contains(&dead);
            is_reported.then_some(()).ok_or(text)
        })
        .await;
    }
    let page = vigie.get("/readyz/queues").await.text();
    assert!(page.contains("1 of 2 failed: {b}"), "{page}");
    let known = vigie.get("/queues?queue={a}").await;
    assert!(known.text().contains("\"waiting\":2"), "{}", known.text());
    let lost = vigie.get("/queues?queue={b}").await;
    assert_eq!(lost.status, 503);
    assert!(lost.text().contains(&dead), "{}", lost.text());
    let (code, said) = check(&section(&cluster.url())).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&format!("{dead}: connection refused")),
        "{said}"
    );

    cluster.node_mut(0).restart().await.unwrap();
    vigie.until_ready().await;
    vigie.stop().await;
}

#[tokio::test]
async fn a_node_configured_as_standalone_is_refused_with_advice() {
    let cluster = Cluster::start(1, 0).await.unwrap();
    let (code, said) = check(&section(&cluster.nodes()[0].url())).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("part of a cluster: use redis-cluster://"),
        "{said}"
    );
    assert!(
        said.contains("name the nodes of the cluster in redis.url"),
        "{said}"
    );

    let redis = Redis::start().await.unwrap();
    let databases = format!("{}databases = [0, 3]\n", section(&redis.url()));
    let (code, said) = check(&databases).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no queue yet in databases 0, 3"), "{said}");
}

#[tokio::test]
async fn the_lease_follows_its_key() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    fill(&cluster, "{a}", &["1"]).await;
    let sections = format!(
        "{}[queues]\nexporter = \"elected\"\nlease = \"3s\"\n",
        section(&cluster.url())
    );
    let vigie = Vigie::start(&sections).await;
    let exports = async || {
        eventually(SOON, async || {
            let scrape = vigie.scrape().await;
            let exports = scrape.value("vigie_queues_exporter", &[]);
            (exports == Some(1.0))
                .then_some(())
                .ok_or(format!("{exports:?}"))
        })
        .await;
    };
    exports().await;
    let slot = cluster.slot(KEY).await.unwrap();
    let from = cluster.first_holder(slot);
    let holder = cluster.nodes()[from].cli(&["GET", KEY]).await.unwrap();
    assert!(holder.contains('_'), "{holder}");

    let to = (from + 1) % 3;
    cluster.move_slot(slot, from, to).await.unwrap();
    exports().await;
    // Renewed on the new node, not only migrated.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let moved = cluster.nodes()[to].cli(&["GET", KEY]).await.unwrap();
    assert_eq!(moved, holder);
    vigie.stop().await;
    let left = cluster.nodes()[to].cli(&["EXISTS", KEY]).await.unwrap();
    assert_eq!(left, "0");
}
