//! The configured receivers of notifications and the heartbeat, and whether they are reachable. Nothing is sent.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use vigie_config::{Heartbeat, Notify};
use vigie_notify::deliver::{Cause, Failure, Sender, Settings};
use vigie_notify::heartbeat::Endpoint;

use super::{Row, Verdict, on_a_thread};
use crate::alerting::Notifications;

/// Connects to all receivers at once.
pub(super) async fn receivers(notify: &Notify, within: Duration) -> Vec<Row> {
    let start = Instant::now();
    let settings = notify.clone();
    let read = move || {
        let advice = "correct it; vigie run refuses it too";
        Notifications::load(&settings).map_err(|unusable| (unusable.to_string(), advice.to_owned()))
    };
    let notifications = match on_a_thread(within, "the disk with the file hangs", read).await {
        Ok(notifications) => notifications,
        Err(problem) => {
            return vec![row("receiver", "[notify]".to_owned(), Err(problem), start)];
        }
    };
    let mut rows = JoinSet::new();
    match notifications {
        Notifications::Alertmanagers(all) => {
            for alertmanager in all {
                rows.spawn(async move {
                    let start = Instant::now();
                    let verdict = verdict(alertmanager.reach().await);
                    row(
                        "alertmanager",
                        alertmanager.host().to_owned(),
                        verdict,
                        start,
                    )
                });
            }
        }
        Notifications::Service(receivers) => {
            let settings = Settings {
                timeout: within,
                ..Settings::default()
            };
            let sender = std::sync::Arc::new(Sender::new(&receivers.config, settings));
            for receiver in &receivers.config.receivers {
                for integration in &receiver.integrations {
                    let sender = std::sync::Arc::clone(&sender);
                    let (name, id) = (receiver.name.clone(), integration.id.clone());
                    rows.spawn(async move {
                        let start = Instant::now();
                        let verdict = verdict(sender.reach(&name, &id).await);
                        row("receiver", format!("{name} {id}"), verdict, start)
                    });
                }
            }
        }
    }
    let mut rows = rows.join_all().await;
    rows.sort_by(|a, b| a.place.cmp(&b.place));
    rows
}

/// Connects to the service of the dead man's switch.
pub(super) async fn heartbeat(heartbeat: &Heartbeat, within: Duration) -> Row {
    let start = Instant::now();
    let endpoint = match Endpoint::new(&heartbeat.url) {
        Ok(endpoint) => endpoint,
        Err(failure) => {
            let place = "heartbeat.url".to_owned();
            return row("heartbeat", place, verdict(Err(failure)), start);
        }
    };
    let reached = verdict(endpoint.reach(within).await);
    let reached = reached.map(|_| "reachable; not called".to_owned());
    row("heartbeat", endpoint.host().to_owned(), reached, start)
}

fn row(what: &'static str, place: String, verdict: Verdict, start: Instant) -> Row {
    Row {
        what,
        place,
        verdict,
        warns: false,
        took: start.elapsed(),
    }
}

fn verdict(reached: Result<(), Failure>) -> Verdict {
    let Err(failure) = reached else {
        return Ok("reachable; vigie alerts test sends a message".to_owned());
    };
    let advice = match failure.cause {
        Cause::Tls => "check the certificate and the CA in the settings of the receiver",
        Cause::Settings => "correct the settings of the receiver",
        Cause::Credentials => "check the user and the password",
        _ => "is the address right, and does the network allow the connection?",
    };
    Err((failure.text, advice.to_owned()))
}
