use vigie_probes::{App, AppRequest, FailureKind, Status, run_once};
use vigie_testkit::faults::http_answer;
use vigie_testkit::{Fault, FaultServer, SOON};

use crate::watch::{TIMEOUT, Watch, failure, failure_within, passes};

fn asking(url: &str, status: std::ops::RangeInclusive<u16>) -> App {
    let request = AppRequest {
        method: http::Method::HEAD,
        path: "/health?deep=0".into(),
        status: vec![status],
    };
    App::new("app", &[url]).unwrap().asks(Some(request))
}

#[tokio::test]
async fn by_default_a_connection_is_enough() {
    // The server never reads or answers; only a refused connection fails the check.
    let server = FaultServer::start(Fault::Hang).await.unwrap();
    let mut check = App::new("app", &[format!("http://{}", server.addr())]).unwrap();
    passes(&mut check).await;
    server.set(Fault::Refuse).await;
    let failed = failure(&mut check).await;
    assert_eq!(failed.kind(), FailureKind::Unreachable);
}

#[tokio::test]
async fn an_unexpected_status_fails() {
    let server = FaultServer::start(Fault::Answer(http_answer(503, "")))
        .await
        .unwrap();
    let url = format!("http://{}", server.addr());
    let mut check = asking(&url, 200..=399);
    let failed = failure(&mut check).await;
    assert_eq!(failed.kind(), FailureKind::NotReady);
    let expected = format!("HEAD {url}/health?deep=0: unexpected status 503");
    assert_eq!(failed.text(), expected);
    server.set(Fault::Answer(http_answer(204, ""))).await;
    passes(&mut check).await;
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let server = FaultServer::start(Fault::Answer(http_answer(404, "")))
        .await
        .unwrap();
    let url = format!("http://{}/", server.addr());
    let mut watch = Watch::well_with(asking(&url, 100..=599), TIMEOUT).await;
    server.set(Fault::Answer(http_answer(500, "oops"))).await;
    passes(&mut asking(&url, 100..=599)).await;

    // A blocked event loop: the system still accepts, but the app does not answer.
    server.set(Fault::Hang).await;
    let failed = watch.turns(Status::Failed).await.failure.unwrap();
    assert_eq!(failed.kind(), FailureKind::TimedOut);
    server.set(Fault::Answer(http_answer(200, ""))).await;
    watch.turns(Status::Ok).await;
}

#[tokio::test]
async fn a_response_that_is_not_http_is_reported() {
    for (fault, kind) in [
        (Fault::Refuse, FailureKind::Unreachable),
        (Fault::Close, FailureKind::Broken),
        (Fault::Garbage, FailureKind::Protocol),
        (Fault::Hang, FailureKind::TimedOut),
        (
            Fault::Answer(b"+PONG\r\n+PONG\r\n".to_vec()),
            FailureKind::Protocol,
        ),
        (
            Fault::ResetAfter(5, http_answer(200, "")),
            FailureKind::Broken,
        ),
    ] {
        let server = FaultServer::start(fault.clone()).await.unwrap();
        let mut check = asking(&format!("http://{}", server.addr()), 100..=599);
        let failed = match fault {
            Fault::Hang => failure_within(&mut check, TIMEOUT).await,
            _ => failure(&mut check).await,
        };
        assert_eq!(failed.kind(), kind, "{fault:?}: {failed}");
        server.set(Fault::Answer(http_answer(204, ""))).await;
        passes(&mut check).await;
    }
    for url in ["https://h", "h:3000", "http://", "ftp://h"] {
        assert!(App::new("app", &[url]).is_err(), "{url}");
    }
}

#[tokio::test]
async fn one_of_several_addresses_is_enough() {
    let answering = FaultServer::start(Fault::Answer(http_answer(204, "")));
    let answering = answering.await.unwrap();
    for fault in [Fault::Refuse, Fault::Hang] {
        let failing = FaultServer::start(fault).await.unwrap();
        let urls = [&failing, &answering].map(|server| format!("http://{}", server.addr()));
        let request = AppRequest {
            method: http::Method::GET,
            path: "/".into(),
            status: vec![200..=399],
        };
        let mut check = App::new("app", &urls).unwrap().asks(Some(request));
        // An address that hangs has a half of the time.
        let (outcome, _) = run_once(&mut check, SOON / 6).await;
        outcome.unwrap();
    }
    let failing = FaultServer::start(Fault::Refuse).await.unwrap();
    let url = format!("http://{}", failing.addr());
    let mut check = App::new("app", &[&url, &url]).unwrap();
    let failed = failure(&mut check).await;
    assert_eq!(failed.kind(), FailureKind::Unreachable);
}
