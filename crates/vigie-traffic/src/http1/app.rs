//! The direction of the responses.

use std::mem;

use super::body::{Next, Reading, TrailerLimits};
use super::exchange::Pending;
use super::lines::Lines;
use super::section::ResponseSection;
use super::split::Split;
use crate::{Event, Exchange, Fault, Limits, ResponseHead, Step};

#[derive(Debug)]
pub(crate) struct App {
    limits: Limits,
    lines: Lines,
    section: Split<ResponseSection>,
    state: State,
    /// The exchange of the message that is read.
    exchange: Exchange,
    /// Whether a further message may follow the current one.
    persists: bool,
    /// Whether the response that is [lost](State::Lost) is known not to have ended.
    is_within: bool,
}

#[derive(Debug)]
enum State {
    Head,
    Body(Reading),
    /// After the head of a response that changes the protocol.
    Switching,
    Tunnel,
    /// After the last message.
    Last,
    Refused,
    Lost,
    Closed,
}

impl App {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            lines: Lines::default(),
            section: Split::NONE,
            state: State::Head,
            exchange: Exchange::default(),
            persists: true,
            is_within: false,
        }
    }

    /// Reads until the next event, where `front` is the oldest exchange without a complete response.
    pub(crate) fn read<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
        front: Option<&mut Pending>,
    ) -> Step<'a> {
        self.lines.clear_returned();
        match &mut self.state {
            State::Head => match front {
                _ if input.is_empty() => Step::none(self.exchange),
                Some(front) => self.read_head(input, front),
                None => self.refuse(Fault::Unrequested),
            },
            State::Body(_) => self.read_body(input),
            State::Switching => {
                self.state = State::Tunnel;
                Step::new(self.exchange, &[], Some(Event::Switched))
            }
            State::Tunnel => {
                let bytes = mem::take(input);
                let event = (!bytes.is_empty()).then_some(Event::Tunnel(bytes));
                Step::new(self.exchange, bytes, event)
            }
            State::Last if !input.is_empty() => self.refuse(Fault::AfterLast),
            State::Lost => {
                *input = &[];
                Step::none(self.exchange)
            }
            State::Last | State::Refused | State::Closed => Step::none(self.exchange),
        }
    }

    fn refuse(&mut self, fault: Fault) -> Step<'static> {
        self.state = State::Refused;
        Step::new(self.exchange, &[], Some(Event::Refused(fault)))
    }

    fn read_head<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8], front: &mut Pending) -> Step<'a> {
        self.exchange = front.exchange;
        let limits = &self.limits;
        let new = || ResponseSection::new(limits.response_fields);
        let mut section = self.section.resume(new);
        section.asked = front.asked;
        match self.lines.read(input, limits.response_head, &mut section) {
            Ok(Some(raw)) => {
                let head = ResponseHead::new(raw, &section);
                if let Some(head) = head.as_ref().filter(|head| !head.is_interim()) {
                    front.answered = true;
                    self.persists = head.persists();
                    self.state = match head.switches() {
                        true => State::Switching,
                        false => State::Body(Reading::begin(head.body())),
                    };
                }
                Step::new(self.exchange, raw, head.map(Event::Response))
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
            bytes: self.limits.response_head,
            fields: self.limits.response_fields,
        };
        let after = self.after();
        let State::Body(reading) = &mut self.state else {
            return Step::none(self.exchange);
        };
        let (lines, exchange) = (&mut self.lines, self.exchange);
        let (step, next) = reading.step(lines, limits, input, exchange, Event::Completed);
        match next {
            Next::Body => {}
            Next::Message => self.state = after,
            Next::Nothing => self.state = State::Refused,
        }
        step
    }

    /// The state after the current message.
    fn after(&self) -> State {
        match self.persists {
            true => State::Head,
            false => State::Last,
        }
    }

    /// Continues after missing bytes, or is lost.
    pub(crate) fn skip(&mut self, missing: &mut u64) -> Step<'static> {
        let event = match &mut self.state {
            State::Body(reading) if reading.is_complete() => {
                self.state = self.after();
                Some(Event::Completed)
            }
            State::Switching => {
                self.state = State::Tunnel;
                Some(Event::Switched)
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
            State::Head | State::Last => Some(self.lose(missing)),
        };
        Step::new(self.exchange, &[], event)
    }

    fn lose(&mut self, missing: &mut u64) -> Event<'static> {
        *missing = 0;
        self.set_lost();
        Event::Lost
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
            self.is_within = false;
            self.state = state;
        }
    }

    pub(crate) fn close(&mut self) {
        self.state = State::Closed;
    }

    /// Whether the end of the connection is the end of the response.
    pub(crate) fn is_until_close(&self) -> bool {
        matches!(&self.state, State::Body(reading) if reading.is_until_close())
    }

    /// Whether no response follows the current one.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self.state, State::Last | State::Body(_)) && !self.persists
    }

    /// Whether the responses are not known.
    pub(crate) fn is_unknown(&self) -> bool {
        match self.state {
            State::Lost => !self.is_within,
            State::Refused => true,
            _ => false,
        }
    }

    /// The response that is lost has not ended.
    pub(crate) fn set_within(&mut self) {
        self.is_within = true;
    }

    pub(crate) fn is_between_messages(&self) -> bool {
        matches!(self.state, State::Head) && self.lines.is_at_line_begin()
    }

    pub(crate) fn held(&self) -> &[u8] {
        self.lines.held()
    }
}
