//! The API over a dispatcher, served on a free port.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use vigie_notify::api::{self, Configured, Settings};
use vigie_notify::config;
use vigie_notify::dispatch::{Dispatcher, Limits, Plan};
use vigie_notify::service::Handle;

/// The configuration of the tests.
pub(crate) const CONFIG: &str = "
route:
  receiver: all
  group_by: [team]
  group_wait: 0s
  routes:
    - {matchers: ['x=\"1\"'], receiver: b, continue: true}
    - {matchers: ['m=\"1\"'], receiver: b, mute_time_intervals: [always]}
    - {matchers: ['x=\"1\"', 'y=\"1\"'], receiver: all, group_by: [y]}
receivers: [{name: all}, {name: b}]
time_intervals: [{name: always, time_intervals: [{}]}]
inhibit_rules:
  - source_matchers: [severity=critical]
    target_matchers: [severity=warning]
    equal: [team]
";

pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Serves the API with this configuration.
pub(crate) async fn serve(text: &str, writes: bool) -> SocketAddr {
    let loaded = config::load(text).unwrap();
    let dispatcher = Dispatcher::new(Plan::new(&loaded), Limits::default());
    let configured = Arc::new(Configured::new(&loaded, text));
    let settings = Settings {
        writes,
        started: now(),
        configured: Arc::new(move || Arc::clone(&configured)),
    };
    let router = api::router(Handle::new(dispatcher, now), settings);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    addr
}
