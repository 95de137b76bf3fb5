//! No password or token appears in any output of Vigie, for any failure and at any log level.

use vigie_testkit::http;
use vigie_testkit::postgres::PASSWORD;
use vigie_testkit::process::Signal;
use vigie_testkit::{SOON, eventually};

use crate::common::{Program, REDIS_PASSWORD, Stage, Vigie};

const TOKEN: &str = "token-of-the-scraper";

#[tokio::test]
async fn no_secret_is_written_anywhere() {
    let mut stage = Stage::set().await;
    let environment = [
        ("VIGIE__ADMIN__TOKEN", TOKEN),
        ("VIGIE__LOG__FILTER", "trace"),
    ];
    let sections = stage.sections();
    assert!(
        sections.contains(PASSWORD) && sections.contains(REDIS_PASSWORD),
        "{sections}"
    );
    let mut vigie = Vigie::start_with(&sections, &environment).await;
    let mut shown = pages(&vigie).await;
    for path in [
        "/players/7",
        "/no/such/place",
        "/socket.io/?EIO=4&transport=polling",
    ] {
        http::get(vigie.gateway, path).await.unwrap();
    }
    let crash = http::request(vigie.gateway, "POST", "/market/wood/crash", &[], b"").await;
    assert_eq!(crash.unwrap().status, 500);

    // Each kind of failure has a different message.
    let other = "ALTER ROLE vigie PASSWORD 'another-password'";
    stage.postgres.run_sql(other).await.unwrap();
    let terminate =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'vigie'";
    stage.postgres.run_sql(terminate).await.unwrap();
    stage
        .redis
        .cli(&["CONFIG", "SET", "requirepass", "another-password"])
        .await
        .unwrap();
    failing(&vigie, "database", "password").await;
    shown += &pages(&vigie).await;
    stage.postgres.kill9();
    stage.redis.kill9();
    failing(&vigie, "database", "refused").await;
    failing(&vigie, "redis", "refused").await;
    shown += &pages(&vigie).await;

    vigie.program.process.signal(Signal::TERM);
    let (code, output) = vigie.program.end().await;
    assert_eq!(code, Some(0));
    let log = vigie.program.log();
    assert!(
        log.contains("\"level\":\"DEBUG\""),
        "the filter is not used: {log}"
    );
    assert!(
        shown.contains("queue_jobs_total{") && shown.contains("\"failed\""),
        "{shown}"
    );
    for (what, text) in [
        ("a page", &shown),
        ("the output", &output),
        ("the log", &log),
    ] {
        for secret in [PASSWORD, REDIS_PASSWORD, TOKEN] {
            if let Some(line) = text.lines().find(|line| line.contains(secret)) {
                panic!("{secret} in {what}: {line}");
            }
        }
    }
}

#[tokio::test]
async fn a_configuration_that_others_can_read_is_warned_of_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let files = tempfile::tempdir().unwrap();
    let config = files.path().join("vigie.toml");
    let settings = "[admin]\nlisten = \"127.0.0.1:0\"\ntoken = \"testkit-token\"\n";
    std::fs::write(&config, settings).unwrap();
    for (mode, warnings) in [(0o644, 1), (0o600, 0)] {
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(mode)).unwrap();
        let path = config.to_str().unwrap();
        let advice = format!("chmod 600 {path}");
        let log = files.path().join(format!("{mode:o}.log"));
        let mut program = Program::start(&["run", "--config", path], &[], &log);
        eventually(SOON, async || match program.log().contains("admin port") {
            true => Ok(()),
            false => Err(program.log()),
        })
        .await;
        program.process.signal(Signal::TERM);
        assert_eq!(program.end().await.0, Some(0));
        assert_eq!(program.log().matches(&advice).count(), warnings);

        let mut program = Program::start(&["check", "--config", path], &[], &log);
        let (code, table) = program.end().await;
        assert_eq!(code, Some(0), "{table}");
        assert_eq!(table.matches(&advice).count(), warnings, "{table}");
        assert!(!table.contains("testkit-token"), "{table}");
    }
}

#[tokio::test]
async fn an_address_in_the_wrong_variable_is_not_written() {
    let address = "redis://u:testkit-misplaced@127.0.0.1";
    let environment = [
        ("VIGIE__REDIS__URL_FILE", address),
        ("VIGIE__DATABASE__URL_FILE", "testkit-misplaced"),
        ("VIGIE__LOG__FILTER", "trace"),
    ];
    let vigie = Vigie::launch("", &environment);
    let shown = eventually(SOON, async || {
        let answer = http::get(vigie.admin, "/readyz").await;
        let text = answer.map_err(|error| error.to_string())?.text();
        let both = text.matches("this file cannot be used").count() == 2;
        if both { Ok(text) } else { Err(text) }
    })
    .await;
    let log = vigie.program.log();
    assert!(log.contains("a setting cannot be used"), "{log}");
    assert!(!shown.contains("misplaced"), "{shown}");
    assert!(!log.contains("misplaced"), "{log}");
    vigie.stop().await;
}

/// All pages of the admin port that a client with the token can read.
async fn pages(vigie: &Vigie) -> String {
    let mut pages = String::new();
    for path in [
        "/",
        "/metrics",
        "/healthz",
        "/readyz",
        "/readyz?verbose",
        "/readyz/database",
        "/readyz/redis",
        "/routes",
    ] {
        pages += &page(vigie, path).await;
    }
    pages
}

async fn page(vigie: &Vigie, path: &str) -> String {
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", authorization.as_str())];
    http::request(vigie.admin, "GET", path, &headers, b"")
        .await
        .unwrap()
        .text()
}

/// Waits until a check fails with this message.
async fn failing(vigie: &Vigie, check: &str, words: &str) {
    eventually(SOON, async || {
        let shown = page(vigie, &format!("/readyz/{check}")).await;
        let failed = shown.contains("\"failed\"") && shown.contains(words);
        failed.then_some(()).ok_or(shown)
    })
    .await;
}
