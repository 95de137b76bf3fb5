//! The history survives restarts, and belongs to one process at a time. A hanging disk does not block the program.

use serde_json::json;
use tempfile::TempDir;
use vigie_testkit::promtext::Format;
use vigie_testkit::{SOON, eventually, http};

use crate::common::{Program, Vigie};

fn section(directory: &TempDir) -> String {
    format!("[history]\npath = {:?}\n", directory.path().join("samples"))
}

/// Waits until the history is loaded.
async fn until_loaded(vigie: &Vigie) {
    eventually(SOON, async || match vigie.get("/-/ready").await {
        answer if answer.status == 200 => Ok(()),
        answer => Err(answer.text()),
    })
    .await;
}

#[tokio::test]
async fn the_history_survives_a_kill() {
    let directory = TempDir::new().unwrap();
    let mut vigie = Vigie::start(&section(&directory)).await;
    until_loaded(&vigie).await;
    let number = async |vigie: &Vigie, name| vigie.scrape().await.value(name, &[]);
    assert_eq!(number(&vigie, "vigie_history_disk_up").await, Some(1.0));
    eventually(SOON, async || {
        match number(&vigie, "vigie_history_samples_total").await {
            Some(samples) if samples > 20.0 => Ok(()),
            samples => Err(format!("{samples:?} samples")),
        }
    })
    .await;
    let series = number(&vigie, "vigie_history_series").await;
    let oldest = number(&vigie, "vigie_history_oldest_timestamp_seconds").await;
    assert!(
        series > Some(20.0) && oldest.is_some(),
        "{series:?} {oldest:?}"
    );

    vigie.kill9_and_restart().await;
    until_loaded(&vigie).await;
    let started = number(&vigie, "process_start_time_seconds").await;
    let after = number(&vigie, "vigie_history_oldest_timestamp_seconds").await;
    assert!(
        after == oldest && after < started,
        "{after:?}, {oldest:?} before"
    );
    assert!(number(&vigie, "vigie_history_series").await >= series);
    assert_eq!(number(&vigie, "vigie_history_disk_up").await, Some(1.0));

    // A second process with the same directory does not start.
    let settings = format!("[admin]\nlisten = \"127.0.0.1:0\"\n{}", section(&directory));
    let config = directory.path().join("second.toml");
    std::fs::write(&config, settings).unwrap();
    let arguments = ["run", "--config", config.to_str().unwrap()];
    let mut second = Program::start(&arguments, &[], &directory.path().join("second.log"));
    let (code, _) = second.end().await;
    assert_eq!(code, Some(1));
    let log = second.log();
    assert!(
        log.contains("history.path") && log.contains("in use by another process"),
        "{log}"
    );
    vigie.stop().await;
}

#[tokio::test]
async fn a_directory_of_another_program_is_a_wrong_setting() {
    let directory = TempDir::new().unwrap();
    let samples = directory.path().join("samples");
    std::fs::create_dir(&samples).unwrap();
    std::fs::write(samples.join("0.log"), "of another program").unwrap();
    let settings = format!("[admin]\nlisten = \"127.0.0.1:0\"\n{}", section(&directory));
    let config = directory.path().join("vigie.toml");
    std::fs::write(&config, settings).unwrap();
    let arguments = ["run", "--config", config.to_str().unwrap()];
    let mut program = Program::start(&arguments, &[], &directory.path().join("log"));
    let (code, _) = program.end().await;
    let log = program.log();
    assert_eq!(code, Some(2), "{log}");
    assert!(
        log.contains("history.path") && log.contains("0.log"),
        "{log}"
    );
}

#[tokio::test]
async fn without_its_directory_the_history_is_in_memory() {
    let vigie = Vigie::start("[history]\npath = \"/proc/vigie-history\"\n").await;
    until_loaded(&vigie).await;
    let scrape = vigie.scrape().await;
    assert_eq!(scrape.value("vigie_history_disk_up", &[]), Some(0.0));
    assert!(scrapes(&vigie).await > 0);
    let log = vigie.program.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("history.path cannot be used"));
    assert_eq!(lines.count(), 1, "{log}");
    vigie.stop().await;
}

/// The number of scrapes, of this instance and others.
async fn scrapes(vigie: &Vigie) -> u64 {
    let query = "/api/v1/query?query=sum(count_over_time(up%5B1h%5D))";
    let answer = vigie.get(query).await.json().unwrap();
    let count = answer.pointer("/data/result/0/value/1");
    let count = count.and_then(|count| count.as_str()).map(str::parse);
    count.unwrap_or_else(|| panic!("{answer}")).unwrap()
}

#[tokio::test]
async fn a_disk_that_hangs_does_not_block_the_program() {
    let directory = TempDir::new().unwrap();
    let mut vigie = Vigie::start(&section(&directory)).await;
    until_loaded(&vigie).await;
    let before = scrapes(&vigie).await;
    vigie.program.process.kill9();

    // Reading this file blocks until it is written to, like a failed disk.
    let log = directory.path().join("samples").join("999.log");
    let made = std::process::Command::new("mkfifo").arg(&log).status();
    assert!(made.unwrap().success());
    let sections = format!(
        "[gateway]\napp = \"http://127.0.0.1:1\"\n[checks.app]\nrequired = false\n{}",
        section(&directory)
    );
    let vigie = Vigie::start(&sections).await;
    let through = http::get(vigie.gateway, "/").await.unwrap();
    assert_eq!(
        through.status, 502,
        "the app is not there, but the gateway is"
    );
    for path in ["/-/healthy", "/healthz", "/metrics"] {
        assert_eq!(vigie.get(path).await.status, 200, "{path}");
    }
    let ready = vigie.get("/-/ready").await;
    assert_eq!(ready.status, 503);
    assert!(
        ready.text().contains("the history is being loaded"),
        "{}",
        ready.text()
    );
    for path in [
        "/api/v1/query?query=up",
        "/api/v1/labels",
        "/api/v1/status/buildinfo",
    ] {
        let answer = vigie.get(path).await;
        let expected = json!({
            "status": "error", "errorType": "unavailable", "error": "the history is being loaded",
        });
        assert_eq!(
            (answer.status, answer.json().unwrap()),
            (503, expected),
            "{path}"
        );
    }
    // It has scraped in the meantime, and reports the disk as failing.
    eventually(SOON, async || {
        // One page: the state of the disk may change between two.
        let scrape = vigie.scrape_as(Format::Text).await;
        let samples = scrape.value("vigie_history_samples_total", &[]);
        let disk = scrape.value("vigie_history_disk_up", &[]);
        match (samples, disk) {
            (Some(samples), Some(0.0)) if samples > 20.0 => Ok(()),
            found => Err(format!("{found:?}")),
        }
    })
    .await;
    assert_eq!(vigie.get("/-/ready").await.status, 503);

    drop(std::fs::OpenOptions::new().write(true).open(&log).unwrap());
    until_loaded(&vigie).await;
    assert!(
        scrapes(&vigie).await > before,
        "of before, and of meanwhile"
    );
    eventually(SOON, async || {
        match vigie.scrape().await.value("vigie_history_disk_up", &[]) {
            Some(1.0) => Ok(()),
            found => Err(format!("{found:?}")),
        }
    })
    .await;
    vigie.stop().await;

    // It also shuts down while the disk hangs.
    std::fs::remove_file(&log).ok();
    let made = std::process::Command::new("mkfifo").arg(&log).status();
    assert!(made.unwrap().success());
    let vigie = Vigie::start(&sections).await;
    assert_eq!(vigie.get("/-/ready").await.status, 503);
    vigie.stop().await;
}
