//! Servers in place of the receivers of notifications that have no package: they enforce the documented schema and limits.
//!
//! Each accepts messages as the real service does and records them. Faults are injected one by one: see [`Answer`].

mod rules;
mod server;
mod telegram;

pub use rules::is_mrkdwn;
pub use server::{Answer, Posted, Receiver};

/// The service that a [`Receiver`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// A webhook: any JSON.
    Webhook,
    /// An incoming webhook of Slack at `/services/…`, and its API at `/api/chat.postMessage`.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// A workflow of Microsoft Teams.
    Teams,
    /// Telegram's bot API.
    Telegram,
    /// PagerDuty's Events API v2.
    PagerDuty,
    /// Pushover's API.
    Pushover,
    /// An ntfy server.
    Ntfy,
    /// A service that notifies people when its calls stop: any POST.
    Heartbeat,
}
