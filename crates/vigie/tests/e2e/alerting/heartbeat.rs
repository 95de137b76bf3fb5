//! The heartbeat is called while rules are evaluated and no receiver fails.

use vigie_testkit::eventually;
use vigie_testkit::receivers::{Answer, Receiver, Service};

use super::ARRIVES;
use super::setup::{APP_DOWN, Setup, logged};
use crate::common::Vigie;

/// Waits until the service was called more often than this, and returns how often.
async fn called_after(service: &Receiver, before: usize) -> usize {
    eventually(ARRIVES, async || match service.posted().len() {
        calls if calls > before => Ok(calls),
        calls => Err(format!("{calls} calls")),
    })
    .await
}

#[tokio::test]
async fn it_stops_while_a_receiver_fails_and_goes_on_afterwards() {
    let service = Receiver::start(Service::Heartbeat).await.unwrap();
    let ops = Receiver::start(Service::Webhook).await.unwrap();
    let setup = Setup::new(APP_DOWN);
    setup.notifies(&format!("webhook_configs: [{{url: '{}'}}]", ops.url("/")));
    let app = setup.app().await;
    let url = service.url("/s3cret-ping");
    let heartbeat = format!("[heartbeat]\nurl = {url:?}\nevery = \"10s\"\n");
    let vigie = Vigie::start(&(setup.notifying() + &heartbeat)).await;
    let calls = called_after(&service, 0).await;
    called_after(&service, calls).await;
    assert_eq!(ops.posted(), []);

    // The messages of both alerts go to one integration, one after the other.
    ops.answer(Answer::Http(401, Vec::new(), String::new()));
    drop(app);
    logged(&vigie, "the heartbeat is not sent").await;
    let log = vigie.program.log();
    assert!(log.contains("a receiver of notifications fails"), "{log}");
    let calls = service.posted().len();
    assert_eq!(ops.posted().len(), 1, "the next attempt is a minute later");
    eventually(ARRIVES, async || {
        let now = service.posted().len();
        // In this order: a call before the next attempt is a mistake.
        if ops.posted().len() == 1 {
            assert_eq!(now, calls, "called while a receiver fails");
        }
        (now > calls).then_some(()).ok_or("no call")
    })
    .await;
    assert!(ops.posted().len() > 1);
    logged(&vigie, "the heartbeat is sent again").await;
    let log = vigie.program.log();
    assert!(!log.contains("s3cret"), "{log}");
    vigie.stop().await;
}
