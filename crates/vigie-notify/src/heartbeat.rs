//! The dead man's switch: a service elsewhere is called regularly, and notifies people when the calls stop.
//!
//! It is called only while alerts would be noticed and delivered: rules are evaluated on time, and no receiver fails.

use std::future::Future;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::Time;
use crate::config::{HttpConfig, http_url};
use crate::deliver::http::{self, Request};
use crate::deliver::{Cause, Failure};

/// The deadline of a call.
const WITHIN: Duration = Duration::from_secs(10);

/// The state of alerting, from which it follows whether the service is called.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The time from which the evaluation of a rule group is late, unless it is evaluated before; `None` before the first
    /// evaluation.
    pub late_from: watch::Receiver<Option<Time>>,
    /// Whether no receiver fails.
    pub healthy: watch::Receiver<bool>,
}

/// The reason for which the service is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silent {
    /// Rules are not evaluated on time.
    #[error("rules are not evaluated on time")]
    Late,
    /// A receiver fails.
    #[error("a receiver of notifications fails")]
    Receiver,
}

/// Decides whether the service is called.
///
/// # Errors
/// The reason, if it is not.
pub fn judge(now: Time, late_from: Option<Time>, healthy: bool) -> Result<(), Silent> {
    if late_from.is_none_or(|late_from| late_from < now) {
        return Err(Silent::Late);
    }
    match healthy {
        true => Ok(()),
        false => Err(Silent::Receiver),
    }
}

/// Calls the service.
pub trait Call: Send + Sync + 'static {
    /// Calls it once.
    fn call(&self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The URL of a service, which is called with POST. It usually contains a credential, so it is not shown.
pub struct Endpoint {
    url: Url,
    http: HttpConfig,
}

impl Endpoint {
    /// The service at `url`.
    ///
    /// # Errors
    /// If that is no `http://` or `https://` URL.
    pub fn new(url: &SecretString) -> Result<Self, Failure> {
        let url = http_url(url.expose_secret()).ok_or_else(|| {
            let text = "the address of the heartbeat is not an http:// or https:// URL";
            Failure::new(Cause::Settings, text)
        })?;
        let http = HttpConfig::default();
        Ok(Self { url, http })
    }

    /// Connects to the service, without calling it.
    ///
    /// # Errors
    /// If there is no connection `within` that time.
    pub async fn reach(&self, within: Duration) -> Result<(), Failure> {
        http::reach(&self.url, &self.http, Instant::now() + within).await
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl Call for Endpoint {
    async fn call(&self) -> Result<(), Failure> {
        let request = Request::json(self.url.clone(), Vec::new());
        let answer = http::post(&request, &self.http, Instant::now() + WITHIN).await?;
        answer.judge()
    }
}

/// Calls the service every `every` while the condition holds, until `stop` is cancelled.
pub async fn run(
    service: impl Call,
    every: Duration,
    condition: Condition,
    clock: impl Fn() -> Time,
    stop: CancellationToken,
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let late_from = *condition.late_from.borrow();
        let judged = judge(clock(), late_from, *condition.healthy.borrow());
        let result = match judged {
            Ok(()) => match stop.run_until_cancelled(service.call()).await {
                Some(result) => result.map_err(|failure| failure.text),
                None => return,
            },
            // Before the first evaluation there is nothing to report.
            Err(Silent::Late) if late_from.is_none() => continue,
            Err(silent) => Err(silent.to_string()),
        };
        match &result {
            Err(reason) if last.as_ref() != Some(&result) => {
                tracing::warn!(reason, "the heartbeat is not sent");
            }
            Ok(()) if matches!(last, Some(Err(_))) => tracing::info!("the heartbeat is sent again"),
            _ => {}
        }
        last = Some(result);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::sleep;

    use super::*;
    use crate::millis;

    const MINUTE: Duration = Duration::from_secs(60);

    struct Counting(Arc<AtomicUsize>);

    impl Call for Counting {
        async fn call(&self) -> Result<(), Failure> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    #[test]
    fn called_only_while_alerts_would_be_delivered() {
        for (late_from, healthy, expected) in [
            (None, true, Err(Silent::Late)),
            (Some(61_000), true, Ok(())),
            (Some(60_999), true, Err(Silent::Late)),
            (Some(120_000), true, Ok(())),
            (Some(120_000), false, Err(Silent::Receiver)),
        ] {
            let judged = judge(61_000, late_from, healthy);
            assert_eq!(judged, expected, "{late_from:?} {healthy}");
        }
    }

    #[test]
    fn only_http_is_called() {
        let endpoint = |url: &str| Endpoint::new(&SecretString::from(url));
        for url in ["http://hc.example/s3cret", "https://hc.example"] {
            assert!(endpoint(url).is_ok(), "{url}");
        }
        for url in ["ftp://hc.example/s3cret", "file:///s3cret", "s3cret", ""] {
            let failure = endpoint(url).err().unwrap();
            assert_eq!(failure.cause, Cause::Settings, "{url}");
            assert!(!failure.text.contains("s3cret"), "{failure}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_stops_and_goes_on_with_the_condition() {
        let calls = Arc::new(AtomicUsize::new(0));
        let begin = Instant::now();
        let (evaluated, late_from) = watch::channel(None);
        let (health, healthy) = watch::channel(true);
        let condition = Condition { late_from, healthy };
        let stop = CancellationToken::new();
        let service = Counting(Arc::clone(&calls));
        let clock = move || millis(begin.elapsed());
        let running = tokio::spawn(run(service, MINUTE, condition, clock, stop.clone()));
        let minutes = |minutes: u32| sleep(minutes * MINUTE);
        let taken = || calls.swap(0, Ordering::Relaxed);
        sleep(MINUTE / 2).await;
        minutes(5).await;
        assert_eq!(taken(), 0, "nothing was evaluated yet");
        evaluated.send_replace(Some(clock() + millis(2 * MINUTE)));
        minutes(5).await;
        assert_eq!(taken(), 2, "the last evaluation is old");
        evaluated.send_replace(Some(i64::MAX / 2));
        health.send_replace(false);
        minutes(5).await;
        assert_eq!(taken(), 0, "a receiver fails");
        health.send_replace(true);
        minutes(5).await;
        assert_eq!(taken(), 5);
        stop.cancel();
        running.await.unwrap();
    }
}
