//! The two connections: how they open and end.

use std::fmt::Display;
use std::time::Duration;

use vigie_traffic::{Close, Side};

use super::{App, Client, Phase, Pump};
use crate::reason::Reason;

impl Pump {
    /// The connection to the app is open.
    pub(crate) fn connected(&mut self, now: Duration) {
        self.last = now;
        self.app = App::Open;
    }

    /// The app could not be reached.
    pub(crate) fn not_connected(&mut self, now: Duration, reason: Reason, cause: &dyn Display) {
        self.app = App::Closed;
        self.fail(now, reason, cause);
    }

    /// The app's side has ended.
    pub(crate) fn app_closed(&mut self, now: Duration, close: Close) {
        if self.switched && close == Close::Finished && self.client == Client::Open {
            self.observed.close(Side::App, now, close);
            self.app = App::Finished;
            self.last = now;
            return;
        }
        self.app = App::Closed;
        let to_head = self.observed.connection().is_head_request();
        let ended = self.observed.close(Side::App, now, close);
        self.ended(now, close, ended, to_head);
    }

    /// The app accepts no bytes. Its answer may have been sent before.
    pub(crate) fn app_is_deaf(&mut self) {
        self.to_app.clear();
        self.unread.clear();
        self.app = match self.app {
            App::Finished => App::Closed,
            _ => App::Deaf,
        };
    }

    /// The client sends nothing more.
    pub(crate) fn client_finished(&mut self, now: Duration) {
        self.last = now;
        self.client = Client::Finished;
        self.observed.close(Side::Client, now, Close::Finished);
        self.unread.clear();
        let is_served = self.switched || self.observed.connection().pending() > 0;
        let is_over = self.app == App::Finished || !is_served;
        if is_over || self.is_closing() {
            self.phase = self.closing(now);
        }
    }

    /// The client is gone.
    pub(crate) fn client_gone(&mut self, now: Duration) {
        self.to_client.clear();
        let awaits_poll =
            self.phase == Phase::Open && self.app == App::Open && self.observed.is_polled();
        if awaits_poll && self.client != Client::Gone {
            if self.client == Client::Open {
                self.observed.close(Side::Client, now, Close::Finished);
                self.last = now;
            }
            self.client = Client::Gone;
            self.unread.clear();
            return;
        }
        self.client = Client::Gone;
        self.observed.close(Side::Client, now, Close::Reset);
        self.phase = Phase::Done;
    }

    /// The process ends: the connection closes when it is idle.
    pub(crate) fn drain(&mut self, now: Duration) {
        self.draining = true;
        self.settle(now);
    }

    /// Bytes were written.
    pub(crate) fn wrote(&mut self, now: Duration) {
        self.last = now;
    }
}
