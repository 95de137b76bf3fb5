//! Servers that answer, but not as expected.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use vigie_probes::{Check, FailureKind, Redis, Sql};
use vigie_testkit::faults::http_answer;
use vigie_testkit::{Fault, FaultServer, SOON};

use crate::watch::{TIMEOUT, failure, failure_within};

fn checks(addr: SocketAddr) -> Vec<Box<dyn Check>> {
    let sql =
        |scheme| Sql::new("database", &format!("{scheme}://vigie:hidden@{addr}/vigie")).unwrap();
    vec![
        Box::new(sql("postgres")),
        Box::new(sql("mysql")),
        Box::new(Redis::new("redis", &format!("redis://:hidden@{addr}")).unwrap()),
    ]
}

#[tokio::test]
async fn every_fault_is_a_failure_in_time_with_a_reason() {
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nhidden".to_vec();
    let mut tests = JoinSet::new();
    for fault in [
        Fault::Refuse,
        Fault::Close,
        Fault::Hang,
        Fault::Garbage,
        Fault::Answer(http.clone()),
        Fault::Answer(b"hidden ".repeat(2_000)),
        Fault::Answer(vec![0xff; 10_000]),
        Fault::ResetAfter(3, http.clone()),
        Fault::CloseAfter(20, http.clone()),
        Fault::Drip(Duration::from_millis(100), http),
    ] {
        tests.spawn(meet(fault));
    }
    while let Some(met) = tests.join_next().await {
        met.unwrap();
    }
}

async fn meet(fault: Fault) {
    let server = FaultServer::start(fault.clone()).await.unwrap();
    // For the others, some clients wait for more.
    let timeout = match fault {
        Fault::Refuse | Fault::Close => SOON,
        _ => TIMEOUT,
    };
    for mut check in checks(server.addr()) {
        let failed = failure_within(&mut *check, timeout).await;
        let text = failed.text();
        assert!(!text.contains("hidden"), "{fault:?}: {text}");
        assert!(
            text.contains(&server.addr().to_string()),
            "{fault:?}: {text}"
        );
        assert!(
            text.len() < 1_000 && !text.contains('\n'),
            "{fault:?}: {text}"
        );
        let expected = match fault {
            Fault::Refuse => Some(FailureKind::Unreachable),
            Fault::Hang => Some(FailureKind::TimedOut),
            Fault::Close => Some(FailureKind::Broken),
            _ => None,
        };
        if let Some(expected) = expected {
            assert_eq!(failed.kind(), expected, "{}: {text}", check.target());
        }
    }
}

#[tokio::test]
async fn a_password_repeated_by_a_server_is_masked() {
    let fields = b"SFATAL\0C28000\0Mknows hidden and hid/den\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    let postgres = [b"E".as_slice(), &length, fields].concat();
    let redis = b"-ERR knows hidden and hid/den\r\n".repeat(4);
    for (answer, scheme, query, said) in [
        (
            postgres,
            "postgres",
            "?sslmode=disable&password=hid/den",
            "knows *** and ***",
        ),
        (redis, "redis", "", "does not accept this user and password"),
    ] {
        let server = FaultServer::start(Fault::Answer(answer)).await.unwrap();
        let url = format!("{scheme}://vigie:hidden@{}/{query}", server.addr());
        let mut check: Box<dyn Check> = match scheme {
            "redis" => Box::new(Redis::new("redis", &url).unwrap()),
            _ => Box::new(Sql::new("database", &url).unwrap()),
        };
        let failed = failure(&mut *check).await;
        assert!(failed.text().ends_with(said), "{failed}");
    }
}

#[tokio::test]
async fn a_password_in_another_encoding_is_masked() {
    // hid"d\en'phrase, percent-encoded in the URL.
    let password = "hid%22d%5Cen%27phrase";
    for spelling in [
        r#"hid"d\en'phrase"#,
        r#"hid\"d\\en'phrase"#,
        r#"hid\x22d\x5cen\'phrase"#,
        r#"hid"d\en''phrase"#,
        "hid%22d%5cen'phrase",
        "en'phrase",
        "hid\"d\\en",
    ] {
        let fields = format!("SFATAL\0C28000\0Mnear \u{1}{spelling}\u{1} there\0\0");
        let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
        let answer = [b"E".as_slice(), &length, fields.as_bytes()].concat();
        let server = FaultServer::start(Fault::Answer(answer)).await.unwrap();
        let url = format!(
            "postgres://vigie:{password}@{}/x?sslmode=disable",
            server.addr()
        );
        let failed = failure(&mut Sql::new("database", &url).unwrap()).await;
        assert!(
            failed.text().ends_with("near  ***  there"),
            "{spelling}: {failed}"
        );
    }
}

#[tokio::test]
async fn tls_that_is_none_is_a_failure() {
    let server = FaultServer::start(Fault::Answer(http_answer(400, "")))
        .await
        .unwrap();
    let url = format!("rediss://:hidden@{}", server.addr());
    let failed = failure(&mut Redis::new("redis", &url).unwrap()).await;
    assert_eq!(failed.kind(), FailureKind::Tls, "{failed}");
}
