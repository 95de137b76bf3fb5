//! Outages of the other databases, with only the database watched.

use std::time::Duration;

use tokio::time::sleep;
use vigie_testkit::MariaDb;

use crate::common::{Vigie, turn};
use crate::outages::unready;

#[tokio::test]
async fn mariadb_killed_frozen_and_back() {
    let _turn = turn().await;
    let mut mariadb = MariaDb::start().await.unwrap();
    let mut vigie = Vigie::start(&format!("[database]\nurl = {:?}\n", mariadb.url())).await;

    mariadb.kill9();
    unready(&vigie, &["database"], &[]).await;
    mariadb.restart().await.unwrap();
    vigie.until_ready().await;

    mariadb.freeze();
    unready(&vigie, &["database"], &[]).await;
    mariadb.thaw();
    vigie.until_ready().await;

    vigie.stop().await;
}

#[tokio::test]
async fn sqlite_gone_broken_and_back() {
    let _turn = turn().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("game.db");
    // A database without tables is an empty file.
    std::fs::write(&file, "").unwrap();
    let mut vigie = Vigie::start(&format!(
        "[database]\nurl = \"sqlite:{}\"\n",
        file.display()
    ))
    .await;

    std::fs::write(&file, "this is no database ".repeat(100)).unwrap();
    unready(&vigie, &["database"], &[]).await;
    std::fs::remove_file(&file).unwrap();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(vigie.get("/readyz/database").await.status, 503);
    assert!(!file.exists(), "Vigie made it");
    std::fs::write(&file, "").unwrap();
    vigie.until_ready().await;

    vigie.stop().await;
}
