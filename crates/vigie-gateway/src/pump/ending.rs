//! How exchanges and connections end: failures, refusals, the last bytes.

use std::fmt::Display;
use std::time::Duration;

use vigie_traffic::{Close, Ended, Fault, Side};

use super::{App, Client, Phase, Pump};
use crate::own;
use crate::reason::Reason;

/// How long a new connection may take to its first request although the process ends: it may have been accepted just before,
/// and a client does not repeat a request on a new connection.
pub(super) const FIRST_REQUEST: Duration = Duration::from_secs(1);

impl Pump {
    pub(super) fn ended(&mut self, now: Duration, close: Close, ended: Ended, to_head: bool) {
        let Ended {
            unanswered, cut, ..
        } = ended;
        for _ in 0..unanswered {
            self.metrics.failed(Reason::ResponseMissing, &"");
        }
        for _ in 0..cut {
            self.metrics.failed(Reason::ResponseCut, &"");
        }
        if cut > 0 && close == Close::Reset {
            // An orderly end would complete a response without a length.
            self.resets_client = true;
            self.phase = Phase::Done;
            return;
        }
        // Later the client sees what it would see without the gateway: a request that failed because the app closed an idle
        // connection at that moment is safe to send again, and only the client knows.
        if unanswered > 0 && !self.answered {
            let response = own::response(Reason::ResponseMissing, to_head);
            self.to_client.extend_from_slice(&response);
        }
        self.begin_closing(now);
    }

    /// The gateway ends the open requests.
    pub(super) fn fail(&mut self, now: Duration, reason: Reason, cause: &dyn Display) {
        if self.client != Client::Open {
            // Nobody waits for the response.
            self.observed.close(Side::App, now, Close::Reset);
            self.begin_closing(now);
            return;
        }
        self.metrics.failed(reason, cause);
        let connection = self.observed.connection();
        if !connection.is_answered() {
            let response = own::response(reason, connection.is_head_request());
            self.to_client.extend_from_slice(&response);
        }
        self.observed
            .fail(now, reason.code(), reason.app_has_request());
        self.begin_closing(now);
    }

    /// The app has sent what is not a response.
    pub(super) fn invalid(&mut self, now: Duration, fault: Fault) {
        match self.observed.connection().pending() {
            0 => self.begin_closing(now),
            _ => self.fail(now, Reason::ResponseInvalid, &fault),
        }
    }

    /// The client's request is refused. Nothing after it is read.
    pub(super) fn refuse(
        &mut self,
        now: Duration,
        reason: Reason,
        number: u64,
        fault: Option<Fault>,
    ) {
        match fault {
            Some(fault) => self.metrics.failed(reason, &fault),
            None => self.metrics.failed(reason, &""),
        }
        self.unread.clear();
        self.phase = Phase::Refusing(reason, number);
        self.settle(now);
    }

    /// Does what waits for the end of exchanges. Called when the bytes of the app's responses are written or kept.
    pub(crate) fn settle(&mut self, now: Duration) {
        let connection = self.observed.connection();
        let oldest = connection.oldest();
        match self.phase {
            Phase::Refusing(reason, refused) => {
                if oldest.is_some_and(|oldest| oldest.number < refused) {
                    return;
                }
                // The app may have answered a request before its body was refused.
                if !connection.is_answered() {
                    let response = own::response(reason, false);
                    self.to_client.extend_from_slice(&response);
                }
                self.observed.fail(now, reason.code(), false);
                self.begin_closing(now);
            }
            Phase::Open if oldest.is_none() && !self.switched && self.app != App::None => {
                let is_idle = self.unread.is_empty() && connection.held(Side::Client).is_empty();
                if self.client != Client::Open || self.ignores_client {
                    self.begin_closing(now);
                } else if self.draining && is_idle && self.to_client.is_empty() {
                    self.phase = Phase::Done;
                }
            }
            Phase::Open
                if self.draining
                    && connection.held(Side::Client).is_empty()
                    && self.app == App::None
                    && now >= self.last + FIRST_REQUEST =>
            {
                self.phase = Phase::Done;
            }
            Phase::Closing { .. } if self.has_nothing_left() => self.phase = Phase::Done,
            _ => {}
        }
    }

    fn begin_closing(&mut self, now: Duration) {
        self.to_app.clear();
        self.unread.clear();
        self.last = now;
        self.phase = self.closing(now);
    }

    /// The phase once the last bytes for the client are known: done, if they are written and the client sends nothing more.
    pub(super) fn closing(&self, now: Duration) -> Phase {
        match self.has_nothing_left() {
            true => Phase::Done,
            false => Phase::Closing {
                since: now,
                discarded: 0,
            },
        }
    }

    fn has_nothing_left(&self) -> bool {
        self.client != Client::Open && self.to_client.is_empty()
    }
}
