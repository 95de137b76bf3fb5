use vigie_probes::{App, FailureKind, Status};
use vigie_testkit::faults::http_answer;
use vigie_testkit::{Fault, FaultServer};

use crate::watch::{Watch, failure, passes};

#[tokio::test]
async fn any_status_is_an_answer() {
    let server = FaultServer::start(Fault::Answer(http_answer(404, "")))
        .await
        .unwrap();
    let url = format!("http://{}/", server.addr());
    let mut watch = Watch::well(App::new("app", &url).unwrap()).await;
    server.set(Fault::Answer(http_answer(500, "oops"))).await;
    watch.turns(Status::Ok).await;

    // A stuck event loop: the system still accepts, nobody answers.
    server.set(Fault::Hang).await;
    let failed = watch.turns(Status::Failed).await.failure.unwrap();
    assert_eq!(failed.kind(), FailureKind::TimedOut);
    server.set(Fault::Answer(http_answer(200, ""))).await;
    watch.turns(Status::Ok).await;
}

#[tokio::test]
async fn what_is_no_http_is_told_apart() {
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
        let mut check = App::new("app", &format!("http://{}", server.addr())).unwrap();
        let failed = failure(&mut check).await;
        assert_eq!(failed.kind(), kind, "{fault:?}: {failed}");
        server.set(Fault::Answer(http_answer(204, ""))).await;
        passes(&mut check).await;
    }
    for url in ["https://h", "h:3000", "http://", "ftp://h"] {
        assert!(App::new("app", url).is_err(), "{url}");
    }
}
