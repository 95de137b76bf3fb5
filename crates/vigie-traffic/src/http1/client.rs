//! The direction of the requests.

use std::mem;
use std::time::Duration;

use super::body::{Next, Reading, TrailerLimits};
use super::lines::Lines;
use super::section::RequestSection;
use super::split::Split;
use crate::{Event, Exchange, Fault, Limits, RequestHead, Step};

#[derive(Debug)]
pub(crate) struct Client {
    limits: Limits,
    lines: Lines,
    section: Split<RequestSection>,
    state: State,
    /// The exchange of the message that is read.
    exchange: Exchange,
    /// The number of the next request.
    next: u64,
    /// Whether the message asks for another protocol and its response is unknown.
    undecided: bool,
    /// Whether a further message may follow the current one.
    persists: bool,
}

#[derive(Debug)]
enum State {
    Head,
    Body(Reading),
    /// After a message that asks for another protocol, until its response.
    Undecided,
    Tunnel,
    /// After the last message.
    Last,
    Refused,
    Lost,
    Closed,
}

impl Client {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            lines: Lines::default(),
            section: Split::NONE,
            state: State::Head,
            exchange: Exchange::default(),
            next: 0,
            undecided: false,
            persists: true,
        }
    }

    /// Reads until the next event. A head is read only if the exchange `may_begin`.
    pub(crate) fn read<'a, 'i: 'a>(
        &'a mut self,
        at: Duration,
        input: &mut &'i [u8],
        may_begin: bool,
    ) -> Step<'a> {
        self.lines.clear_returned();
        match &mut self.state {
            State::Head if may_begin => self.read_head(at, input),
            State::Body(_) => self.read_body(input),
            State::Tunnel => {
                let bytes = match self.lines.release() {
                    Some(held) => held,
                    None => mem::take(input),
                };
                let event = (!bytes.is_empty()).then_some(Event::Tunnel(bytes));
                Step::new(self.exchange, bytes, event)
            }
            State::Last if !input.is_empty() => {
                self.state = State::Refused;
                let event = Event::Refused(Fault::AfterLast);
                Step::new(self.exchange, &[], Some(event))
            }
            State::Lost => {
                *input = &[];
                Step::none(self.exchange)
            }
            _ => Step::none(self.exchange),
        }
    }

    fn read_head<'a, 'i: 'a>(&'a mut self, at: Duration, input: &mut &'i [u8]) -> Step<'a> {
        if input.is_empty() {
            return Step::none(self.exchange);
        }
        let limits = &self.limits;
        let new = || RequestSection::new(limits.request_fields);
        let mut section = self.section.resume(new);
        if section.start.is_none() && self.lines.is_at_line_begin() {
            self.exchange = Exchange {
                number: self.next,
                began: at,
            };
        }
        match self.lines.read(input, limits.request_head, &mut section) {
            Ok(Some(raw)) => {
                let head = RequestHead::new(raw, section);
                if let Some(head) = &head {
                    self.next += 1;
                    self.persists = head.persists();
                    self.undecided = head.asks_switch();
                    self.state = State::Body(Reading::begin(head.body()));
                }
                Step::new(self.exchange, raw, head.map(Event::Request))
            }
            Ok(None) => {
                self.section.keep(section);
                Step::none(self.exchange)
            }
            Err(fault) => {
                self.state = State::Refused;
                Step::new(self.exchange, &[], Some(Event::Refused(fault)))
            }
        }
    }

    fn read_body<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Step<'a> {
        let limits = TrailerLimits {
            bytes: self.limits.request_head,
            fields: self.limits.request_fields,
        };
        let after = self.after();
        let State::Body(reading) = &mut self.state else {
            return Step::none(self.exchange);
        };
        let (lines, exchange) = (&mut self.lines, self.exchange);
        let (step, next) = reading.step(lines, limits, input, exchange, Event::End);
        match next {
            Next::Body => {}
            Next::Message => self.state = after,
            Next::Nothing => self.state = State::Refused,
        }
        step
    }

    /// The state after the current message.
    fn after(&self) -> State {
        match self.undecided {
            true => State::Undecided,
            false if self.persists => State::Head,
            false => State::Last,
        }
    }

    /// Continues after missing bytes, or is lost.
    pub(crate) fn skip(&mut self, missing: &mut u64) -> Step<'static> {
        let event = match &mut self.state {
            State::Body(reading) if reading.is_complete() => {
                self.state = self.after();
                Some(Event::End)
            }
            _ if *missing == 0 => None,
            State::Tunnel => Some(Event::Gap(mem::take(missing))),
            State::Refused | State::Closed => None,
            State::Lost => {
                *missing = 0;
                None
            }
            State::Body(reading) => match reading.skip(missing) {
                0 => Some(self.lose(missing)),
                skipped => Some(Event::Gap(skipped)),
            },
            State::Head | State::Undecided | State::Last => Some(self.lose(missing)),
        };
        Step::new(self.exchange, &[], event)
    }

    fn lose(&mut self, missing: &mut u64) -> Event<'static> {
        *missing = 0;
        self.set_lost();
        Event::Lost
    }

    /// The response to a message that asks for another protocol.
    pub(crate) fn decide(&mut self, switched: bool) {
        self.undecided = false;
        match self.state {
            State::Refused | State::Closed => {}
            _ if switched => self.state = State::Tunnel,
            State::Undecided => self.state = self.after(),
            _ => {}
        }
    }

    pub(crate) fn set_lost(&mut self) {
        self.begin_anew(State::Lost);
    }

    pub(crate) fn resume(&mut self) {
        self.begin_anew(State::Head);
    }

    fn begin_anew(&mut self, state: State) {
        if !matches!(self.state, State::Closed) {
            self.lines.clear();
            self.section.forget();
            self.undecided = false;
            self.state = state;
        }
    }

    pub(crate) fn close(&mut self) {
        self.state = State::Closed;
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost)
    }

    /// Whether nothing is read before a response.
    pub(crate) fn is_waiting(&self, may_begin: bool) -> bool {
        match self.state {
            State::Undecided => true,
            State::Head => !may_begin,
            _ => false,
        }
    }

    /// Whether the body of a request is being read.
    pub(crate) fn is_in_body(&self) -> bool {
        matches!(&self.state, State::Body(reading) if !reading.is_complete())
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    pub(crate) fn held(&self) -> &[u8] {
        self.lines.held()
    }
}
