//! The loop of the service.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::disk::Disk;
use super::failing::Reports;
use super::{Deliver, Gate, Handle, Service};
use crate::Time;
use crate::deliver::{Cause, Failure};
use crate::dispatch::{Dispatcher, Outcome, Undelivered};
use crate::metrics::Metrics;
use crate::outbox::{Outbox, Sending, Settled, Target};
use crate::{config, random};

/// The deadline of a delivery. The receiver's own, which gives a better error, passes first.
const SENT_WITHIN: Duration = config::MAX_TIMEOUT.saturating_add(Duration::from_secs(5));
/// The longest sleep: the clock may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How long deliveries that have begun may take after the service is to stop.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// With more groups than this, messages are decided upon once a second.
const MANY_GROUPS: usize = 1_000;
const SECOND: Time = 1_000;

type Delivered = (Target, Result<(), Failure>);

impl Service {
    /// Runs until `stop` is cancelled. Deliveries that have begun then have 5 seconds to end, and the state is saved.
    pub async fn run<D: Deliver>(self, deliver: Arc<D>, stop: CancellationToken) {
        let mut running = Running {
            disk: Disk::new(self.journal),
            handle: self.handle,
            outbox: self.outbox,
            metrics: self.metrics,
            reports: self.reports,
            gate: self.gate,
            deliver,
            deliveries: JoinSet::new(),
            targets: HashMap::new(),
        };
        while !stop.is_cancelled() {
            running.step(&stop).await;
        }
        running.finish().await;
    }
}

struct Running<D> {
    handle: Handle,
    outbox: Outbox,
    disk: Disk,
    metrics: Metrics,
    reports: Reports,
    gate: Gate,
    deliver: Arc<D>,
    deliveries: JoinSet<Delivered>,
    /// The target of each delivery.
    targets: HashMap<Id, Target>,
}

impl<D: Deliver> Running<D> {
    async fn step(&mut self, stop: &CancellationToken) {
        self.reports
            .update(&self.handle, &mut self.outbox, &self.metrics);
        let is_open = self.gate.is_open();
        let sendings = match is_open {
            true => self.decide(),
            false => {
                self.hand_back();
                Vec::new()
            }
        };
        let due = self.disk.due(&self.handle, !sendings.is_empty());
        if due.is_some_and(|due| due <= Instant::now()) {
            self.disk.write(&self.handle).await;
        }
        for sending in sendings {
            self.begin(sending);
        }
        let due = self.disk.due(&self.handle, false);
        let to_write = due.map(|due| due.saturating_duration_since(Instant::now()));
        // The caller that opens the gate then passes alerts, which wakes this task.
        let to_decide = is_open.then(|| self.handle.read(until_due)).flatten();
        let wait = [to_write, to_decide].into_iter().flatten().min();
        let wait = wait.map_or(LONGEST_SLEEP, |wait| wait.min(LONGEST_SLEEP));
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.handle.news() => {}
            Some(delivered) = self.deliveries.join_next_with_id() => self.delivered(delivered),
            () = sleep(wait) => {}
        }
    }

    /// The messages to send now. Their attempts are recorded, but not yet on disk.
    fn decide(&mut self) -> Vec<Sending> {
        let Self { handle, outbox, .. } = self;
        let (undelivered, sendings) = handle.update(|dispatcher, now| {
            let is_due = until_due(dispatcher, now) == Some(Duration::ZERO);
            let mut undelivered = Vec::new();
            if is_due {
                let advance = dispatcher.advance(now);
                undelivered = advance.undelivered;
                for notification in advance.notifications {
                    outbox.push(notification);
                }
            }
            let (sendings, later) = outbox.next(now, || dispatcher.inhibitors(now));
            for settled in later {
                settle(dispatcher, &settled);
            }
            for id in sendings.iter().flat_map(|sending| &sending.ids) {
                dispatcher.attempt(*id);
            }
            (undelivered, sendings)
        });
        for lost in &undelivered {
            self.metrics.undelivered(lost);
            report_lost(lost);
        }
        sendings
    }

    /// Hands the waiting messages back to the dispatcher, which decides anew once messages may be sent.
    fn hand_back(&mut self) {
        let waiting = self.outbox.take_waiting();
        if !waiting.is_empty() {
            self.handle.update(|dispatcher, now| {
                for id in waiting {
                    dispatcher.retry(id, Outcome::Failed, now);
                }
            });
        }
    }

    fn begin(&mut self, sending: Sending) {
        let deliver = Arc::clone(&self.deliver);
        let target = sending.target.clone();
        let delivery = async move {
            let sent = timeout(SENT_WITHIN, deliver.send(&sending.message)).await;
            let result = sent.unwrap_or_else(|_| {
                let text = "there was no answer before the deadline";
                Err(Failure::new(Cause::NoAnswer, text))
            });
            (sending.target, result)
        };
        let task = self.deliveries.spawn(delivery);
        self.targets.insert(task.id(), target);
    }

    fn delivered(&mut self, delivered: Result<(Id, Delivered), JoinError>) {
        let (target, result) = match delivered {
            Ok((id, delivered)) => {
                self.targets.remove(&id);
                delivered
            }
            Err(error) => {
                let Some(target) = self.targets.remove(&error.id()) else {
                    return;
                };
                let text = "the delivery ended unexpectedly";
                let failure = Failure::new(Cause::Answer, text);
                (target, Err(failure))
            }
        };
        self.metrics.finished(&target, result.as_ref().err());
        let now = self.handle.now();
        let settled =
            self.outbox
                .finish(now, &target, result.as_ref().copied(), random::fraction());
        let Some(settled) = settled else {
            return;
        };
        if let Err(failure) = &result {
            let wait = settled.retry.map_or(0, |retry| retry - now) / SECOND;
            tracing::warn!(
                receiver = %target, reason = failure.cause.name(), error = failure.text, seconds = wait,
                "a message was not delivered; Vigie tries again after this time"
            );
        }
        self.handle
            .update(|dispatcher, _| settle(dispatcher, &settled));
    }

    /// Waits for deliveries that have begun, and saves the state.
    async fn finish(mut self) {
        let deadline = Instant::now() + GRACE;
        while let Ok(Some(delivered)) =
            tokio::time::timeout_at(deadline, self.deliveries.join_next_with_id()).await
        {
            self.delivered(delivered);
        }
        self.deliveries.abort_all();
        self.disk.write(&self.handle).await;
        self.handle.set_service(false);
    }
}

/// The time until messages are to be decided upon.
fn until_due(dispatcher: &Dispatcher, now: Time) -> Option<Duration> {
    let mut due = dispatcher.due()?;
    if dispatcher.groups() > MANY_GROUPS {
        due = due.saturating_add(SECOND - 1).div_euclid(SECOND) * SECOND;
    }
    let wait = due.saturating_sub(now).max(0);
    Some(Duration::from_millis(wait.unsigned_abs()))
}

fn settle(dispatcher: &mut Dispatcher, settled: &Settled) {
    for id in &settled.ids {
        match (settled.outcome, settled.retry) {
            (outcome @ (Outcome::Failed | Outcome::Unsure), Some(at)) => {
                dispatcher.retry(*id, outcome, at);
            }
            (outcome, _) => dispatcher.outcome(*id, outcome),
        }
    }
}

fn report_lost(lost: &Undelivered) {
    let (receiver, integration, alert) = (&lost.receiver, &lost.integration, &lost.labels);
    if lost.fired {
        tracing::error!(
            %receiver, %integration, %alert,
            "the message that an alert resolved could not be delivered; it is given up"
        );
    } else {
        tracing::error!(
            %receiver, %integration, %alert,
            "an alert resolved before a message about it could be delivered; no message is sent"
        );
    }
}
