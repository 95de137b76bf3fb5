//! A setting that only a check needs never keeps the gateway from starting.

use std::time::Duration;

use vigie_testkit::faults::http_answer;
use vigie_testkit::{Fault, FaultServer, eventually, http};

use crate::common::{Program, TURN, Vigie};

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_gateway_starts_without_its_checks() {
    let _turn = TURN.lock().await;
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
