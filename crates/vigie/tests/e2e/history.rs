//! The history outlives the program, and belongs to one program at a time.

use std::time::Duration;

use tempfile::TempDir;
use vigie_testkit::eventually;

use crate::common::{Program, Vigie};

/// Longer than the time between two scrapes.
const A_SCRAPE: Duration = Duration::from_secs(40);

fn section(directory: &TempDir) -> String {
    format!("[history]\npath = {:?}\n", directory.path().join("samples"))
}

#[tokio::test]
async fn killed_and_started_again_it_remembers() {
    let directory = TempDir::new().unwrap();
    let mut vigie = Vigie::start(&section(&directory)).await;
    let number = async |vigie: &Vigie, name| vigie.scrape().await.value(name, &[]);
    assert_eq!(number(&vigie, "vigie_history_disk_up").await, Some(1.0));
    eventually(A_SCRAPE, async || {
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
    let started = number(&vigie, "process_start_time_seconds").await;
    let after = number(&vigie, "vigie_history_oldest_timestamp_seconds").await;
    assert!(
        after == oldest && after < started,
        "{after:?}, {oldest:?} before"
    );
    assert!(number(&vigie, "vigie_history_series").await >= series);
    assert_eq!(number(&vigie, "vigie_history_disk_up").await, Some(1.0));

    // A second one with the same directory does not start.
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
