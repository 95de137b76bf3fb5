//! The deadlines of a connection.

use std::time::Duration;

use vigie_traffic::{Close, Side};

use super::ending::FIRST_REQUEST;
use super::{App, Client, Phase, Pump};
use crate::reason::Reason;

/// How long the app may take to answer a poll whose client has disconnected: if it had just answered, the session of
/// Engine.IO stays open.
const POLL_GRACE: Duration = Duration::from_secs(1);
/// How long a client may send nothing while what it sends is discarded, and how long this lasts in all.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_TOTAL: Duration = Duration::from_secs(30);

/// A deadline that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    Idle,
    Head,
    /// The client does not read.
    Reader,
    Linger,
    Tunnel,
    Poll,
    App(Reason),
}

impl Pump {
    /// The time at which [`expire`](Self::expire) must be called.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.next_deadline().map(|(deadline, _)| deadline)
    }

    fn next_deadline(&self) -> Option<(Duration, Late)> {
        let settings = &*self.settings;
        let connection = self.observed.connection();
        let after = |limit: Duration, late| Some((self.last.saturating_add(limit), late));
        if let Phase::Closing { since, .. } = self.phase {
            let linger = (self.last + LINGER).min(since + LINGER_TOTAL);
            return match self.to_client.is_empty() {
                true => Some((linger, Late::Linger)),
                false => after(settings.body_timeout, Late::Reader),
            };
        }
        if !self.to_client.is_empty() {
            return after(settings.body_timeout, Late::Reader);
        }
        if self.switched {
            return match (self.to_app.is_empty(), self.client, self.app) {
                (false, ..) => after(settings.body_timeout, Late::Tunnel),
                (true, Client::Open, App::Open) => None,
                (true, ..) => after(settings.keep_alive, Late::Tunnel),
            };
        }
        if connection.pending() > 0 {
            let answered = connection.is_answered();
            return match (self.client, answered) {
                (Client::Finished | Client::Gone, _) if self.observed.is_polled() => {
                    after(POLL_GRACE, Late::Poll)
                }
                // An event stream is silent for as long as the app has nothing to say, as a WebSocket.
                (Client::Open, true) if self.observed.is_endless() => None,
                (_, true) => after(settings.body_timeout, Late::App(Reason::ResponseStalled)),
                _ if self.to_app.is_empty() && connection.is_in_request_body() => {
                    after(settings.response_timeout, Late::App(Reason::RequestStalled))
                }
                _ => after(
                    settings.response_timeout,
                    Late::App(Reason::ResponseTimeout),
                ),
            };
        }
        match self.head_since {
            Some(since) => Some((since.saturating_add(settings.header_timeout), Late::Head)),
            None if self.draining && self.app == App::None => after(FIRST_REQUEST, Late::Idle),
            None => after(settings.keep_alive, Late::Idle),
        }
    }

    /// Acts on the deadline that has passed by now, if any.
    pub(crate) fn expire(&mut self, now: Duration) {
        let Some((_, late)) = self
            .next_deadline()
            .filter(|(deadline, _)| *deadline <= now)
        else {
            return;
        };
        match late {
            Late::Idle => self.phase = Phase::Done,
            Late::Head => self.refuse(now, Reason::HeadTimeout, u64::MAX, None),
            Late::Reader => self.client_gone(now),
            Late::Linger => self.phase = Phase::Done,
            Late::Tunnel | Late::Poll => {
                self.observed.close(Side::App, now, Close::Reset);
                self.phase = Phase::Done;
            }
            Late::App(reason) => self.fail(now, reason, &""),
        }
    }
}
