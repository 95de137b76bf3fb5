//! The loop for one Alertmanager.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::body::body;
use super::table::{Item, Ledger};
use super::{Post, Shared};
use crate::backoff::Backoff;
use crate::deliver::{Cause, Failure};
use crate::{Time, millis, random};

/// The alerts in a request, as in Prometheus.
const BATCH: usize = 64;
/// The waits after failures: alerts must be sent again before they end.
const WAITS: Backoff = Backoff {
    first: 1_000,
    longest: 60_000,
    longest_asked: 60_000,
};
/// The longest sleep: the clock may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(15);
/// A firing alert that is not sent again ends after this many intervals.
const VALID_FOR: Time = 4;

pub(super) async fn run(shared: &Shared, alertmanager: &impl Post) {
    let mut ledger = Ledger::default();
    let (mut failures, mut refused) = (0_u32, false);
    loop {
        let news = shared.news.notified();
        tokio::pin!(news);
        news.as_mut().enable();
        let now = (shared.clock)();
        let due = {
            let mut table = shared.table.lock();
            table.expire(now);
            table.due(&mut ledger, now, BATCH)
        };
        if due.is_empty() {
            let wait = ledger.next().map_or(LONGEST_SLEEP, |next| {
                Duration::from_millis((next - now).max(0).unsigned_abs())
            });
            tokio::select! {
                () = news => {}
                () = sleep(wait.min(LONGEST_SLEEP)) => {}
            }
            continue;
        }
        let name = alertmanager.name();
        match send(shared, alertmanager, &mut ledger, due).await {
            Ok(rejected) => {
                if std::mem::take(&mut failures) > 0 {
                    tracing::info!(alertmanager = name, "alerts are forwarded again");
                }
                if let Some((alert, failure)) = rejected
                    && !std::mem::replace(&mut refused, true)
                {
                    tracing::error!(
                        alertmanager = name, alert = %alert.alert.labels, error = failure.text,
                        "an Alertmanager refuses an alert; it is not sent again until it changes, and further ones are only counted"
                    );
                }
            }
            Err(failure) => {
                failures = failures.saturating_add(1);
                if failures == 1 {
                    tracing::error!(
                        alertmanager = name,
                        error = failure.text,
                        "alerts cannot be forwarded; Vigie tries again"
                    );
                }
                let wait = WAITS.wait(failures, failure.retry_after, random::fraction());
                sleep(Duration::from_millis(wait.unsigned_abs())).await;
            }
        }
    }
}

/// Sends a batch. Returns one of the alerts that were refused.
async fn send(
    shared: &Shared,
    alertmanager: &impl Post,
    ledger: &mut Ledger,
    batch: Vec<Item>,
) -> Result<Option<(Item, Failure)>, Failure> {
    let resend = millis(shared.settings.resend);
    let mut rejected = None;
    // The first part is sent next.
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        let now = (shared.clock)();
        let interval = resend.max(shared.evaluation.load(Ordering::Relaxed));
        let valid_until = now.saturating_add(interval.saturating_mul(VALID_FOR));
        let result = alertmanager.post(body(&part, now, valid_until)).await;
        let failure = result.as_ref().err();
        shared.metrics.forwarded(alertmanager.name(), failure);
        match result {
            Ok(()) => {
                let again = now.saturating_add(resend);
                ledger.sent(&part, Some(again));
            }
            Err(failure) if failure.cause != Cause::Refused => return Err(failure),
            Err(_) if part.len() > 1 => {
                let rest = part.split_off(part.len() / 2);
                parts.push(rest);
                parts.push(part);
            }
            Err(failure) => {
                ledger.sent(&part, None);
                rejected = part.pop().map(|item| (item, failure)).or(rejected);
            }
        }
    }
    Ok(rejected)
}
