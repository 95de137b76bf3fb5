//! A request that crashes a worker process of a real app.

use std::net::SocketAddr;

use crate::common::{Fixture, SOON};
use vigie_testkit::{Script, http};

#[tokio::test]
async fn a_request_that_crashes_a_worker_crashes_one() {
    let (mut app, port) = Script::new("testing/crash.js").listen().await.unwrap();
    let fixture = Fixture::start(SocketAddr::from(([127, 0, 0, 1], port)), |_| {});
    // The connections to the app are idle ones.
    for _ in 0..4 {
        let response = http::get(fixture.addr(), "/").await.unwrap();
        assert_eq!(response.status, 200);
    }
    let response = http::get(fixture.addr(), "/crash").await.unwrap();
    assert_eq!(response.status, 502);
    let ended = app.next_json(SOON).await.unwrap();
    assert_eq!(ended["msg"], "ended");
    // The other worker answers, so it is not the one that would have ended next.
    for _ in 0..4 {
        let response = http::get(fixture.addr(), "/").await.unwrap();
        assert_eq!(response.status, 200);
    }
    assert_eq!(fixture.failed("response_missing"), 1.0);
    app.stop(SOON).await.unwrap();
}
