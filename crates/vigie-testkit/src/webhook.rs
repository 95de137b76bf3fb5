//! A receiver for Alertmanager's webhook notifications.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::post;
use crate::prometheus::labels;
use crate::{Error, SOON};

const NAME: &str = "webhook";
/// The version of the format, which each body contains.
const VERSION: &str = "4";
const CONNECTIONS: usize = 16;
/// The maximum size of a body.
const BODY: usize = 1 << 20;
/// The timeout for receiving a request.
const ARRIVES: Duration = SOON;
/// The maximum number of alerts; more are an error.
const ALERTS: usize = 10_000;

/// Receives webhook notifications, and stores their alerts in order of arrival.
pub struct Webhook {
    addr: SocketAddr,
    received: Arc<Received>,
    accepting: JoinHandle<()>,
}

/// One alert of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// The key of the group that the notification is about.
    pub group_key: String,
    /// Whether the alert is firing or resolved.
    pub status: Status,
    /// Its labels, including `alertname`.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// When it resolved; `None` while it is firing.
    pub ends_at: Option<Timestamp>,
}

/// The status of an alert in a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its condition holds.
    Firing,
    /// Its condition no longer holds.
    Resolved,
}

#[derive(Default)]
struct Received {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    alerts: Vec<Notified>,
    /// The first invalid request.
    wrong: Option<String>,
}

impl Webhook {
    /// Listens on a free port.
    ///
    /// # Errors
    /// If the port is not available.
    pub async fn start() -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(Error::io("a port for the webhook"))?;
        let addr = listener
            .local_addr()
            .map_err(Error::io("a port for the webhook"))?;
        let received = Arc::new(Received::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&received)));
        Ok(Self {
            addr,
            received,
            accepting,
        })
    }

    /// The URL for `webhook_configs`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// All alerts so far, oldest first.
    ///
    /// # Errors
    /// If there was an invalid request, or there are too many alerts.
    pub fn alerts(&self) -> Result<Vec<Notified>, Error> {
        let state = self.received.lock();
        match &state.wrong {
            Some(wrong) => Err(Error::protocol(NAME, wrong)),
            None => Ok(state.alerts.clone()),
        }
    }

    /// Waits for an alert with this status and these labels after the first `past` ones. Returns it with the number
    /// of alerts up to and including it: the next `past`.
    ///
    /// # Errors
    /// As [`Webhook::alerts`], or if it does not arrive in time; the error then lists the alerts that did.
    pub async fn wait_for(
        &self,
        status: Status,
        wanted: &[(&str, &str)],
        past: usize,
        within: Duration,
    ) -> Result<(Notified, usize), Error> {
        let deadline = Instant::now() + within;
        let is_it = |alert: &Notified| {
            let has = |(name, value): &(&str, &str)| {
                alert.labels.get(*name).map(String::as_str) == Some(*value)
            };
            alert.status == status && wanted.iter().all(has)
        };
        loop {
            let news = self.received.news.notified();
            let alerts = self.alerts()?;
            let mut later = alerts.iter().enumerate().skip(past);
            if let Some((at, alert)) = later.find(|(_, alert)| is_it(alert)) {
                return Ok((alert.clone(), at + 1));
            }
            if timeout_at(deadline, news).await.is_err() {
                let came = alerts
                    .iter()
                    .map(|alert| format!("{:?} {:?}", alert.status, alert.labels));
                return Err(Error::Late {
                    name: format!("{NAME}, waiting for {status:?} {wanted:?} past {past}"),
                    what: "such alert",
                    within,
                    tail: came.collect::<Vec<_>>().join("\n"),
                });
            }
        }
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Received {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status of the response.
    fn take(&self, body: Result<Vec<u8>, String>) -> u16 {
        let notified = body.and_then(|body| notification(&body));
        let mut state = self.lock();
        let status = match notified {
            Ok(alerts) if state.alerts.len() + alerts.len() <= ALERTS => {
                state.alerts.extend(alerts);
                200
            }
            Ok(_) => {
                let wrong = format!("more than {ALERTS} alerts");
                state.wrong.get_or_insert(wrong);
                503
            }
            Err(wrong) => {
                state.wrong.get_or_insert(wrong);
                400
            }
        };
        drop(state);
        self.news.notify_waiters();
        status
    }
}

async fn accept(listener: TcpListener, received: Arc<Received>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let received = Arc::clone(&received);
        tokio::spawn(async move {
            let _place = place;
            // A sender that disconnects will retry.
            let _ = serve(BufReader::new(stream), &received).await;
        });
    }
}

/// One request per connection: keep-alive is not needed here.
async fn serve(mut stream: BufReader<TcpStream>, received: &Received) -> std::io::Result<()> {
    let Ok(posted) = timeout(ARRIVES, post::read(&mut stream, BODY)).await else {
        return Ok(());
    };
    let status = received.take(posted?.map(|post| post.body));
    let answer =
        format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// The alerts of a version-4 body.
fn notification(body: &[u8]) -> Result<Vec<Notified>, String> {
    let other = |what: &str| format!("{what}: {}", String::from_utf8_lossy(body));
    let body: Value = serde_json::from_slice(body).map_err(|error| other(&error.to_string()))?;
    if body["version"] != VERSION {
        return Err(other("not of version 4"));
    }
    let key = body["groupKey"].as_str().unwrap_or_default();
    let alerts = body["alerts"].as_array().map(Vec::as_slice);
    alerts
        .and_then(|alerts| alerts.iter().map(|alert| notified(key, alert)).collect())
        .ok_or_else(|| other("not a notification"))
}

fn notified(group_key: &str, alert: &Value) -> Option<Notified> {
    let status = match alert["status"].as_str()? {
        "firing" => Status::Firing,
        "resolved" => Status::Resolved,
        _ => return None,
    };
    let time = |name: &str| alert[name].as_str()?.parse().ok();
    Some(Notified {
        group_key: group_key.to_owned(),
        status,
        starts_at: time("startsAt")?,
        ends_at: match status {
            Status::Firing => None,
            Status::Resolved => Some(time("endsAt")?),
        },
        labels: labels(&alert["labels"])?,
        annotations: labels(&alert["annotations"])?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http;

    fn body(version: &str, status: &str) -> String {
        let alert = serde_json::json!({
            "status": status, "labels": {"alertname": "A"}, "annotations": {},
            "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:01:00Z",
        });
        serde_json::json!({"version": version, "alerts": [alert]}).to_string()
    }

    async fn post(webhook: &Webhook, body: &str) -> u16 {
        let answer = http::request(webhook.addr, "POST", "/", &[], body.as_bytes()).await;
        answer.unwrap().status
    }

    #[tokio::test]
    async fn keeps_the_order_and_finds_what_comes_later() {
        let webhook = Webhook::start().await.unwrap();
        let now = Duration::ZERO;
        let wanted = [("alertname", "A")];
        for status in ["firing", "resolved", "firing"] {
            assert_eq!(post(&webhook, &body("4", status)).await, 200);
        }
        let mut past = 0;
        for (status, expected) in [
            (Status::Firing, 1),
            (Status::Resolved, 2),
            (Status::Firing, 3),
        ] {
            (_, past) = webhook.wait_for(status, &wanted, past, now).await.unwrap();
            assert_eq!(past, expected);
        }
        let brief = Duration::from_millis(50);
        let waiting = webhook.wait_for(Status::Resolved, &wanted, past, brief);
        assert!(matches!(waiting.await, Err(Error::Late { .. })));
        let other = [("alertname", "A"), ("queue", "q")];
        assert!(
            webhook
                .wait_for(Status::Firing, &other, 0, brief)
                .await
                .is_err()
        );
        let long = Duration::from_secs(30);
        let waiting = webhook.wait_for(Status::Resolved, &wanted, past, long);
        let last = body("4", "resolved");
        let (found, answered) = tokio::join!(waiting, post(&webhook, &last));
        assert_eq!((found.unwrap().1, answered), (4, 200));
    }

    #[tokio::test]
    async fn what_is_no_notification_fails_the_test_that_waits() {
        for wrong in [
            "",
            "{}",
            "[]",
            "nonsense",
            &body("3", "firing"),
            &body("4", "odd"),
        ] {
            let webhook = Webhook::start().await.unwrap();
            assert_eq!(post(&webhook, wrong).await, 400, "{wrong}");
            let waiting = webhook.wait_for(Status::Firing, &[], 0, Duration::from_secs(30));
            assert!(
                matches!(waiting.await, Err(Error::Protocol { .. })),
                "{wrong}"
            );
            assert_eq!(post(&webhook, &body("4", "firing")).await, 200);
            assert!(webhook.alerts().is_err(), "{wrong} is forgotten");
        }
    }

    #[tokio::test]
    async fn takes_no_more_than_its_bound() {
        let webhook = Webhook::start().await.unwrap();
        let alert = serde_json::json!({
            "status": "firing", "labels": {}, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z",
        });
        let thousand = vec![alert; 1_000];
        let body = serde_json::json!({"version": VERSION, "alerts": thousand}).to_string();
        for _ in 0..ALERTS / 1_000 {
            assert_eq!(post(&webhook, &body).await, 200);
        }
        assert_eq!(webhook.alerts().unwrap().len(), ALERTS);
        assert_eq!(post(&webhook, &body).await, 503);
        assert!(webhook.alerts().is_err());

        let webhook = Webhook::start().await.unwrap();
        for head in [
            format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", BODY + 1),
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\ncontent-length: 2\r\n\r\n".to_owned(),
        ] {
            let mut connection = http::Connection::open(webhook.addr).await.unwrap();
            connection.send(head.as_bytes()).await.unwrap();
            assert_eq!(connection.response().await.unwrap().status, 400, "{head}");
            assert!(webhook.alerts().is_err(), "{head}");
        }
    }
}
