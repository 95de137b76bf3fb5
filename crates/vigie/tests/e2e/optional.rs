//! A setting that only a check needs never prevents the gateway from starting.

use vigie_testkit::faults::http_answer;
use vigie_testkit::{Fault, FaultServer, Postgres, Redis, SOON, eventually, http};

use crate::common::{Program, Vigie, turn};

#[tokio::test]
async fn the_gateway_starts_without_its_checks() {
    let _turn = turn().await;
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    let app = FaultServer::start(Fault::Answer(http_answer(200, "hello")))
        .await
        .unwrap();
    for (section, check, reason) in [
        (
            "[database]\nurl = \"postgres://u:hunter2@h/d?sslcrl=x\"",
            "database",
            "the parameter sslcrl is not supported",
        ),
        (
            "[database]\nurl = \"postgres://u:hunter2@h:port/d\"",
            "database",
            "expected an address like",
        ),
        (
            "[database]\nurl_file = \"/no/such/file\"",
            "database",
            "No such file or directory",
        ),
        (
            &format!("[database]\nurl_file = {fifo:?}"),
            "database",
            "it is not a regular file",
        ),
        (
            "[database]\nurl_file = \"/\"",
            "database",
            "it is not a regular file",
        ),
        (
            "[database]\nurl = \"postgres://u:hunter2@name.invalid/d\"",
            "database",
            "",
        ),
        (
            "[redis]\nurl = \"redis://:hunter2@127.0.0.1:99999\"",
            "redis",
            "expected an address like",
        ),
        (
            &format!("[redis]\nurl = \"rediss://127.0.0.1:1\"\nca_file = {fifo:?}"),
            "redis",
            "it is not a regular file",
        ),
        (
            "[database]\nurl = \"postgres://u:hunter2@127.0.0.1/d?sslmode=verify-full&sslrootcert=/no/such/ca\"",
            "database",
            "",
        ),
        (
            "[redis]\nurl = \"redis://h/1?db=2\"",
            "redis",
            "db contradicts another part of the address",
        ),
        (
            "[redis]\nurl = \"rediss://127.0.0.1:1\"\nca_file = \"/no/such/ca\"",
            "redis",
            "No such file or directory",
        ),
    ] {
        let sections = format!("[gateway]\napp = \"http://{}\"\n{section}\n", app.addr());
        let vigie = Vigie::launch(&sections, &[]);
        let page = eventually(SOON, async || {
            let page = http::get(vigie.admin, &format!("/readyz/{check}")).await;
            let page = page.map_or_else(
                |error| (0, error.to_string()),
                |page| (page.status, page.text()),
            );
            let failed = page.0 == 503 && page.1.contains(reason) && !page.1.contains("pending");
            failed.then_some(page.1.clone()).ok_or(format!("{page:?}"))
        })
        .await;
        assert!(!page.contains("hunter2"), "{page}");
        let answer = http::get(vigie.gateway, "/").await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
        let log = vigie.program.log();
        let expected = usize::from(!reason.is_empty() && !section.contains("sslrootcert"));
        let errors = log.matches("a setting cannot be used").count();
        assert_eq!(errors, expected, "{log}");
        assert!(!log.contains("hunter2"), "{log}");
        vigie.stop().await;

        if expected == 0 {
            continue;
        }
        let files = tempfile::tempdir().unwrap();
        let file = files.path().join("vigie.toml");
        std::fs::write(&file, section).unwrap();
        let log = files.path().join("log");
        let arguments = ["check", "--config", file.to_str().unwrap()];
        let mut check = Program::start(&arguments, &[], &log);
        assert_eq!(check.end().await.0, Some(2));
        assert!(check.log().contains(reason), "{}", check.log());
    }
}

#[tokio::test]
async fn an_address_counts_as_soon_as_its_file_can_be_read() {
    let _turn = turn().await;
    let postgres = Postgres::start().await.unwrap();
    let redis = Redis::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (database, queues) = (directory.path().join("db"), directory.path().join("redis"));
    let sections = format!("[database]\nurl_file = {database:?}\n[redis]\nurl_file = {queues:?}\n");
    let vigie = Vigie::launch(&sections, &[]);
    let until = async |path: &str, status: u16, words: &str| {
        eventually(SOON, async || {
            let page = http::get(vigie.admin, path).await;
            let page = page.map_err(|error| error.to_string())?;
            let is_so = page.status == status && page.text().contains(words);
            is_so.then_some(()).ok_or_else(|| page.text())
        })
        .await;
    };
    for check in ["database", "redis", "queues"] {
        until(&format!("/readyz/{check}"), 503, "No such file").await;
    }
    until("/metrics", 200, "vigie_source_up{source=\"redis\"} 0").await;
    std::fs::write(&database, "postgres://u@h/d?sslcrl=x").unwrap();
    until("/readyz/database", 503, "sslcrl is not supported").await;
    std::fs::write(&database, postgres.url()).unwrap();
    until("/readyz/database", 200, "").await;
    std::fs::write(&queues, "redis://h/1?db=hunter2").unwrap();
    until("/readyz/redis", 503, "db must be a number").await;
    until("/readyz/queues", 503, "db must be a number").await;
    std::fs::write(&queues, format!("{}\n", redis.url())).unwrap();
    for check in ["redis", "queues"] {
        until(&format!("/readyz/{check}"), 200, "").await;
    }
    until("/metrics", 200, "vigie_source_up{source=\"redis\"} 1").await;
    assert!(!vigie.program.log().contains("hunter2"));
    vigie.stop().await;
}
