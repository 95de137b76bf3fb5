//! Forwarding to a real Alertmanager.
#![allow(clippy::unwrap_used)]

#[path = "support/forwarding.rs"]
mod forwarding;

use vigie_testkit::Alertmanager;

#[tokio::test]
async fn alerts_reach_alertmanager_and_resolve() {
    let start = |config: String| async move { Alertmanager::start(&config).await };
    forwarding::check(start, false).await;
}
