use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use vigie_probes::{FailureKind, Sql, Status};

use crate::watch::{PERIOD, TIMEOUT, Watch, failure_within, passes};

fn check(file: &Path) -> Sql {
    Sql::new("database", &format!("sqlite:{}", file.display())).unwrap()
}

/// The app's own connection.
async fn app(file: &Path, journal: SqliteJournalMode) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true);
    options.journal_mode(journal).connect().await.unwrap()
}

async fn run(app: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(app).await.unwrap();
}

#[tokio::test]
async fn a_file_is_read_and_never_created() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my game.db");
    let mut watch = Watch::start(check(&file));
    let missing = watch.turns(Status::Failed).await.failure.unwrap();
    assert_eq!(missing.kind(), FailureKind::Unreachable);
    assert!(
        missing.text().contains("unable to open database file"),
        "{missing}"
    );
    watch.stays(Status::Failed, 3 * PERIOD).await;
    assert!(!file.exists(), "it was made");

    let mut app = app(&file, SqliteJournalMode::Delete).await;
    run(&mut app, "CREATE TABLE t (x); INSERT INTO t VALUES (1)").await;
    watch.turns(Status::Ok).await;
    run(&mut app, "INSERT INTO t VALUES (2)").await;

    app.close().await.unwrap();
    std::fs::write(
        &file,
        "this is no database, whatever it may be called".repeat(100),
    )
    .unwrap();
    let broken = watch.turns(Status::Failed).await.failure.unwrap();
    assert_eq!(broken.kind(), FailureKind::Protocol, "{broken}");
    std::fs::remove_file(&file).unwrap();
    watch.stays(Status::Failed, 3 * PERIOD).await;
    assert!(!file.exists(), "it was made");
}

#[tokio::test]
async fn a_write_ahead_log_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("game.db");
    let mut app = app(&file, SqliteJournalMode::Wal).await;
    run(&mut app, "CREATE TABLE t (x); INSERT INTO t VALUES (1)").await;
    let log = directory.path().join("game.db-wal");
    let before = std::fs::read(&log).unwrap();
    assert!(!before.is_empty());
    for _ in 0..3 {
        passes(&mut check(&file)).await;
    }
    assert_eq!(std::fs::read(&log).unwrap(), before);
    run(&mut app, "BEGIN IMMEDIATE; INSERT INTO t VALUES (2)").await;
    passes(&mut check(&file)).await;
    run(&mut app, "COMMIT").await;
    app.close().await.unwrap();
    passes(&mut check(&file)).await;
}

#[tokio::test]
async fn a_lock_that_is_not_released_is_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("game.db");
    let mut app = app(&file, SqliteJournalMode::Delete).await;
    run(&mut app, "CREATE TABLE t (x); BEGIN EXCLUSIVE").await;
    let locked = failure_within(&mut check(&file), TIMEOUT).await;
    let kinds = [FailureKind::NotReady, FailureKind::TimedOut];
    assert!(kinds.contains(&locked.kind()), "{locked}");
    run(&mut app, "COMMIT").await;
    passes(&mut check(&file)).await;
}
