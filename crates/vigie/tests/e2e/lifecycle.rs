//! Start and shutdown of the program: with nothing to watch, by one signal, by two; and `vigie check`.

use std::time::Duration;

use vigie_testkit::http::{self, Connection};
use vigie_testkit::process::Signal;
use vigie_testkit::{SOON, eventually, ports};

use crate::common::{Program, REDIS_PASSWORD, Stage, Vigie};

const SECTIONS: [&str; 4] = ["gateway", "redis", "database", "tick"];
/// The first half of an upload.
const FIRST_HALF: &str =
    "PUT /players/7/avatar HTTP/1.1\r\nhost: game\r\ncontent-length: 10\r\n\r\n01234";
const SECOND_HALF: &str = "56789";

#[tokio::test]
async fn with_nothing_to_watch_it_runs_and_logs_that() {
    let vigie = Vigie::start("").await;
    let ready = vigie.get("/readyz").await.json().unwrap();
    assert_eq!(ready["unwatched"], serde_json::json!(SECTIONS), "{ready}");
    let log = vigie.program.log();
    for section in SECTIONS {
        let said = |line: &str| {
            line.contains("not watched") && line.contains(&format!("\"section\":\"{section}\""))
        };
        assert!(log.lines().any(said), "nothing about {section} in {log}");
        assert_eq!(vigie.get(&format!("/readyz/{section}")).await.status, 404);
    }
    let scrape = vigie.scrape().await;
    assert_eq!(scrape.samples("vigie_build_info", &[]).count(), 1);
    assert_eq!(
        scrape.samples("vigie_source_up", &[]).count(),
        0,
        "of nothing"
    );
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    vigie.stop().await;
}

#[tokio::test]
async fn a_signal_drains_and_a_second_one_stops_at_once() {
    let stage = Stage::set().await;
    let mut vigie = Vigie::start(&format!("[gateway]\napp = \"http://{}\"\n", stage.app)).await;
    let mut upload = begin_upload(&vigie).await;

    vigie.program.process.signal(Signal::TERM);
    draining(&vigie).await;
    // New connections are refused, and neither Vigie nor the open request ends.
    eventually(SOON, async || {
        let opened = Connection::open(vigie.gateway).await;
        opened
            .err()
            .map(drop)
            .ok_or("a new connection was accepted")
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(vigie.program.process.status(), None, "with a request open");
    assert_eq!(vigie.get("/healthz").await.status, 200);
    upload.send(SECOND_HALF.as_bytes()).await.unwrap();
    let answer = upload.response().await.unwrap();
    assert_eq!(
        (answer.status, &answer.json().unwrap()["bytes"]),
        (200, &10.into())
    );
    let (code, _) = vigie.program.end().await;
    assert_eq!(code, Some(0));
    let log = vigie.program.log();
    assert!(
        log.contains("\"draining\"") && log.contains("\"stopped\""),
        "{log}"
    );

    // The exit code is that of the second signal.
    for (first, second, code) in [
        (Signal::INT, Signal::TERM, 143),
        (Signal::TERM, Signal::INT, 130),
    ] {
        let sections = format!(
            "[gateway]\napp = \"http://{}\"\n[shutdown]\ngrace = \"1h\"\n",
            stage.app
        );
        let mut vigie = Vigie::start(&sections).await;
        let mut upload = begin_upload(&vigie).await;
        vigie.program.process.signal(first);
        draining(&vigie).await;
        vigie.program.process.signal(second);
        assert_eq!(vigie.program.end().await.0, Some(code));
        upload.closed().await.unwrap();
    }
    stage.end().await;
}

#[tokio::test]
async fn the_grace_period_bounds_the_drain() {
    let stage = Stage::set().await;
    let sections = format!(
        "[gateway]\napp = \"http://{}\"\n[shutdown]\ngrace = \"1s\"\n",
        stage.app
    );
    let mut vigie = Vigie::start(&sections).await;
    let mut upload = begin_upload(&vigie).await;
    vigie.program.process.signal(Signal::TERM);
    draining(&vigie).await;
    upload.closed().await.unwrap();
    let (code, _) = vigie.program.end().await;
    assert_eq!(code, Some(0));
    stage.end().await;
}

#[tokio::test]
async fn check_reports_results_and_advice() {
    let stage = Stage::set().await;
    let (code, table, log) = check(&stage.sections(), 0).await;
    assert_eq!(code, Some(0), "{table}{log}");
    assert!(
        !table.contains("FAILED") && !table.contains("not watched"),
        "{table}"
    );
    for (row, verdict) in [
        ("admin", "can listen"),
        ("gateway", "can listen"),
        ("app", "accepts connections"),
        ("redis", "answers PING"),
        ("queues", "4 queues"),
        ("tick", "the queue is there"),
        ("database", "login and SELECT 1"),
    ] {
        let line = line_of(&table, row);
        assert!(
            line.contains("ok  ") && line.contains(verdict),
            "{row}: {table}"
        );
        assert!(line.contains(" ms  "), "how long {row} took: {table}");
    }
    keeps_its_secrets(&table, &log);

    // The same with every setting wrong.
    let taken = stage.vigie.admin.port();
    let wrong = stage
        .sections()
        .replace(
            &stage.app.to_string(),
            &format!("127.0.0.1:{}", ports::free()),
        )
        .replace("production-tick", "another-tick")
        .replace("\"production\"", "\"harvest\"")
        .replace("testkit-role-password", "testkit-wrong-password");
    let (code, table, log) = check(&wrong, taken).await;
    assert_eq!(code, Some(1), "{table}{log}");
    for row in ["admin", "app", "tick", "database"] {
        let line = line_of(&table, row);
        assert!(line.contains("FAILED"), "{row}: {table}");
        let advice = table
            .lines()
            .skip_while(|found| *found != line)
            .nth(1)
            .unwrap();
        assert!(
            advice.starts_with("        ") && advice.trim().len() > 10,
            "{row}: {table}"
        );
    }
    for row in ["gateway", "redis", "queues"] {
        assert!(line_of(&table, row).contains("ok  "), "{row}: {table}");
    }
    keeps_its_secrets(&table, &log);

    let wrong = stage
        .sections()
        .replace(REDIS_PASSWORD, "stage-wrong-password");
    let (code, table, log) = check(&wrong, 0).await;
    assert_eq!(code, Some(1), "{table}{log}");
    assert!(line_of(&table, "redis").contains("FAILED"), "{table}");
    keeps_its_secrets(&table, &log);

    let (code, table, _) = check("", 0).await;
    assert_eq!(code, Some(0), "{table}");
    for section in SECTIONS {
        assert!(line_of(&table, section).contains("not watched"), "{table}");
    }
    stage.end().await;
}

/// Runs `vigie check` with these sections: exit code, table and log. Port 0 stands for a free port.
async fn check(sections: &str, admin: u16) -> (Option<i32>, String, String) {
    let admin = if admin == 0 { ports::free() } else { admin };
    let listen = format!("[gateway]\nlisten = \"127.0.0.1:{}\"\n", ports::free());
    let sections = sections.replace("[gateway]\n", &listen);
    let files = tempfile::tempdir().unwrap();
    let config = files.path().join("vigie.toml");
    std::fs::write(
        &config,
        format!("[admin]\nlisten = \"127.0.0.1:{admin}\"\n{sections}"),
    )
    .unwrap();
    let arguments = ["check", "--config", config.to_str().unwrap()];
    let environment = [("VIGIE__LOG__FILTER", "trace")];
    let mut program = Program::start(&arguments, &environment, &files.path().join("log"));
    let (code, table) = program.end().await;
    (code, table, program.log())
}

/// The line that starts with this word.
fn line_of<'a>(table: &'a str, what: &str) -> &'a str {
    let mut lines = table.lines();
    let found = lines.find(|line| line.split_whitespace().next() == Some(what));
    found.unwrap_or_else(|| panic!("no row {what} in {table}"))
}

fn keeps_its_secrets(table: &str, log: &str) {
    for word in [
        "stage-redis",
        "stage-wrong",
        "testkit-role",
        "testkit-wrong",
    ] {
        assert!(!table.contains(word), "{word} in {table}");
        assert!(!log.contains(word), "{word} in {log}");
    }
}

/// Sends a request that stays open until the test ends it, and waits until Vigie has received it.
async fn begin_upload(vigie: &Vigie) -> Connection {
    let mut upload = Connection::open(vigie.gateway).await.unwrap();
    upload.send(FIRST_HALF.as_bytes()).await.unwrap();
    eventually(SOON, async || {
        let scrape = vigie.scrape().await;
        let open = scrape.value("vigie_gateway_requests_in_flight", &[]);
        if open == Some(1.0) {
            Ok(())
        } else {
            Err(format!("{open:?} requests open"))
        }
    })
    .await;
    upload
}

/// Waits until Vigie is not ready, which is the first step of a drain.
async fn draining(vigie: &Vigie) {
    eventually(SOON, async || {
        let ready = http::get(vigie.admin, "/readyz")
            .await
            .map_err(|error| error.to_string())?;
        let body = ready.text();
        let drains = ready.status == 503 && body.contains("\"status\":\"draining\"");
        drains.then_some(()).ok_or(body)
    })
    .await;
}

/// A query that would take hours neither delays the shutdown nor is awaited.
#[tokio::test]
async fn the_program_ends_while_a_query_runs() {
    let mut vigie = Vigie::start("[query]\ntimeout = \"1h\"\n").await;
    // Each evaluates 50,000 values in the windows of 10,000 steps.
    let heavy = "quantile_over_time(0.5,cos(vector(time()))[50000s:1s])";
    let heavy = vec![heavy; 200].join("%2B");
    let query = format!("query={heavy}&start=0&end=100000&step=10");
    let request = format!(
        "POST /api/v1/query_range HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{query}",
        query.len()
    );
    let mut asked = Connection::open(vigie.admin).await.unwrap();
    asked.send(request.as_bytes()).await.unwrap();
    let busy = async || {
        let scrape = vigie.scrape().await;
        let seconds = scrape.samples("process_cpu_seconds_total", &[]).next();
        seconds.map_or(0.0, |sample| sample.value)
    };
    let before = busy().await;
    eventually(SOON, async || match busy().await - before {
        used if used > 0.3 => Ok(()),
        used => Err(format!("{used} s of CPU were used")),
    })
    .await;
    vigie.program.process.signal(Signal::TERM);
    let (code, _) = vigie.program.end().await;
    assert_eq!(code, Some(0));
    assert!(vigie.program.log().contains("\"stopped\""));
    asked.closed().await.unwrap();
}
