//! Both directions of a connection.

use std::collections::VecDeque;
use std::time::Duration;

use super::app::App;
use super::client::Client;
use super::exchange::Pending;
use crate::{Event, Exchange, Limits, Outcome, Step};

/// A direction, by its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Requests.
    Client,
    /// Responses.
    App,
}

/// How a direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// All bytes were received (FIN).
    Finished,
    /// The connection failed (RST, an error).
    Reset,
}

/// The state of an HTTP/1 connection.
///
/// Call [`read`](Self::read) or [`skip`](Self::skip) until the step has no event, for the bytes of either direction in
/// the order of their arrival.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    app: App,
    /// At most `max_pending`.
    pending: VecDeque<Pending>,
    max_pending: usize,
}

impl Connection {
    /// A connection from its first byte.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            client: Client::new(limits),
            app: App::new(limits),
            pending: VecDeque::new(),
            max_pending: limits.pipeline,
        }
    }

    /// A connection that exists already: it is ignored until [`resume`](Self::resume).
    #[must_use]
    pub fn unknown(limits: Limits) -> Self {
        let mut connection = Self::new(limits);
        connection.set_lost();
        connection
    }

    /// Reads `input`, which arrived at the time `at`, until the next event, and leaves what it did not read.
    ///
    /// Input is left with no event if this direction reads no further: after a refusal or a close, and in the direction of
    /// the client while it [waits](Self::is_waiting) for the app.
    ///
    /// `at` is the time since an origin of the caller's choice.
    pub fn read<'a, 'i: 'a>(
        &'a mut self,
        from: Side,
        at: Duration,
        input: &mut &'i [u8],
    ) -> Step<'a> {
        match from {
            Side::Client => {
                let may_begin = self.may_begin();
                let step = self.client.read(at, input, may_begin);
                if let Some(Event::Request(head)) = &step.event {
                    if self.pending.capacity() == 0 {
                        // Most connections never have a second one.
                        self.pending.reserve_exact(1);
                    }
                    self.pending.push_back(Pending::new(step.exchange, head));
                }
                step
            }
            Side::App => {
                self.lose_unpaired(input);
                let step = self.app.read(input, self.pending.front_mut());
                follow(&mut self.pending, &mut self.client, step.event.as_ref());
                step
            }
        }
    }

    /// Continues after `missing` bytes until the next event, and leaves what it did not skip.
    pub fn skip(&mut self, from: Side, missing: &mut u64) -> Step<'static> {
        match from {
            Side::Client => self.client.skip(missing),
            Side::App => {
                let step = self.app.skip(missing);
                follow(&mut self.pending, &mut self.client, step.event.as_ref());
                step
            }
        }
    }

    /// After missing requests, a response without a known request belongs to one of them.
    fn lose_unpaired(&mut self, input: &[u8]) {
        let unpaired = self.pending.is_empty() && !input.is_empty();
        if unpaired && self.client.is_lost() && self.app.is_between_messages() {
            self.app.set_lost();
        }
    }

    /// Ends a direction, and returns the exchanges that end by it.
    ///
    /// After [`Close::Finished`] of the client, the app may still respond. Everything else ends the connection.
    pub fn close(
        &mut self,
        from: Side,
        close: Close,
    ) -> impl Iterator<Item = (Exchange, Outcome)> + '_ {
        let blamed = match from {
            Side::Client => Outcome::ClientLeft,
            Side::App if self.client.is_closed() => Outcome::ClientLeft,
            Side::App => Outcome::AppLeft,
        };
        let ends = from == Side::App || close == Close::Reset;
        let whole = from == Side::App && close == Close::Finished && self.app.is_until_close();
        let (last, unknown) = (self.app.is_last(), self.app.is_unknown());
        self.client.close();
        if ends {
            self.app.close();
        }
        let ended = if ends { self.pending.len() } else { 0 };
        self.pending.drain(..ended).map(move |pending| {
            let outcome = match pending.answered {
                _ if unknown => Outcome::Unknown,
                true if whole => Outcome::Completed,
                false if last => Outcome::Unknown,
                _ => blamed,
            };
            (pending.exchange, outcome)
        })
    }

    /// The response that became [lost](Event::Lost) has not ended so far, as the caller knows by other means: if the connection is
    /// closed now, the response is incomplete.
    pub fn set_within_response(&mut self) {
        self.app.set_within();
    }

    /// Gives up both directions, whose bytes are ignored until [`resume`](Self::resume). Returns the exchanges that end, with
    /// [`Outcome::Unknown`].
    pub fn abandon(&mut self) -> impl Iterator<Item = (Exchange, Outcome)> + '_ {
        self.set_lost();
        let pending = self.pending.drain(..);
        pending.map(|pending| (pending.exchange, Outcome::Unknown))
    }

    /// Begins anew: the caller knows that both directions are between messages and that the app owes no response. Returns
    /// the exchanges that end: a single one whose response had begun is complete, others are unknown.
    pub fn resume(&mut self) -> impl Iterator<Item = (Exchange, Outcome)> + '_ {
        self.client.resume();
        self.app.resume();
        let single = self.pending.len() == 1;
        self.pending.drain(..).map(move |pending| {
            let outcome = match single && pending.answered {
                true => Outcome::Completed,
                false => Outcome::Unknown,
            };
            (pending.exchange, outcome)
        })
    }

    fn may_begin(&self) -> bool {
        self.pending.len() < self.max_pending
    }

    fn set_lost(&mut self) {
        self.client.set_lost();
        self.app.set_lost();
    }

    /// Whether the requests are not read before the app responds: the last one asks for another protocol, or too many
    /// have no response.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.client.is_waiting(self.may_begin())
    }

    /// The oldest exchange without a complete response.
    #[must_use]
    pub fn oldest(&self) -> Option<Exchange> {
        self.pending.front().map(|oldest| oldest.exchange)
    }

    /// Whether the body of a request is being read.
    #[must_use]
    pub fn is_in_request_body(&self) -> bool {
        self.client.is_in_body()
    }

    /// Whether the response to the oldest request without a complete one has begun.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.pending.front().is_some_and(|oldest| oldest.answered)
    }

    /// Whether the oldest request without a complete response is a HEAD request.
    #[must_use]
    pub fn is_head_request(&self) -> bool {
        self.pending.front().is_some_and(|oldest| oldest.asked.head)
    }

    /// The number of requests without a complete response.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The bytes of a direction that were read and not [passed](Step::passed).
    #[must_use]
    pub fn held(&self, from: Side) -> &[u8] {
        match from {
            Side::Client => self.client.held(),
            Side::App => self.app.held(),
        }
    }
}

/// Applies a response to its exchange and to the direction of the client.
fn follow(pending: &mut VecDeque<Pending>, client: &mut Client, event: Option<&Event<'_>>) {
    match event {
        Some(Event::Response(head))
            if !head.is_interim() && pending.front().is_some_and(Pending::asks_switch) =>
        {
            client.decide(head.switches());
        }
        Some(Event::Completed | Event::Switched) => {
            pending.pop_front();
        }
        _ => {}
    }
}
