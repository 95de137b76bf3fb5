//! A receiver of webhook notifications that records when each arrived.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::bail;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

pub(super) struct Receiver {
    addr: SocketAddr,
    messages: Messages,
    serving: JoinHandle<()>,
}

type Messages = Arc<Mutex<Vec<Message>>>;

/// A notification.
#[derive(Clone)]
pub(super) struct Message {
    arrived: Timestamp,
    body: Value,
}

impl Receiver {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let messages = Messages::default();
        let router = Router::new()
            .route("/", post(receive))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&messages));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            addr,
            messages,
            serving,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// An `alertmanager.yml` that sends every change immediately.
    pub(super) fn config(&self) -> String {
        format!(
            "route: {{receiver: bench, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}\n\
             receivers: [{{name: bench, webhook_configs: [{{url: 'http://{}/'}}]}}]\n",
            self.addr
        )
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until the messages have as many alerts, each message counted by itself.
    pub(super) async fn until(&self, alerts: usize, within: Duration) -> anyhow::Result<()> {
        let all = |messages: &[Message]| messages.iter().map(Message::alerts).sum();
        self.wait(alerts, within, all).await
    }

    /// Waits for one message that has as many alerts. A group's message has all its active alerts, so earlier messages
    /// have some of them.
    pub(super) async fn until_one(&self, alerts: usize, within: Duration) -> anyhow::Result<()> {
        let most = |messages: &[Message]| messages.iter().map(Message::alerts).max().unwrap_or(0);
        self.wait(alerts, within, most).await
    }

    async fn wait(
        &self,
        alerts: usize,
        within: Duration,
        count: impl Fn(&[Message]) -> usize,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        loop {
            let found = count(&self.messages());
            match found >= alerts {
                true => return Ok(()),
                false if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
                false => bail!("only {found} of {alerts} alerts arrived"),
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Message {
    /// The number of alerts.
    pub(super) fn alerts(&self) -> usize {
        self.body["alerts"].as_array().map_or(0, Vec::len)
    }

    pub(super) fn is_firing(&self) -> bool {
        self.body["status"] == "firing"
    }

    /// The seconds from the evaluation that showed the transition of its first alert.
    pub(super) fn latency(&self) -> Option<f64> {
        let name = if self.is_firing() {
            "startsAt"
        } else {
            "endsAt"
        };
        let transition: Timestamp = self.body["alerts"][0][name].as_str()?.parse().ok()?;
        Some(self.arrived.duration_since(transition).as_secs_f64())
    }
}

async fn receive(State(messages): State<Messages>, body: Bytes) {
    let arrived = Timestamp::now();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
    messages.push(Message { arrived, body });
}
