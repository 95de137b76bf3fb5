//! Drives a connection as its users do, and writes down what it reports.

use std::collections::VecDeque;
use std::time::Duration;

use vigie_traffic::{Close, Connection, Exchange, Limits, Outcome, Side};

use crate::notes::{Noted, escape, event};

/// Something that happens to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Bytes(Side, Vec<u8>),
    Gap(Side, u64),
    Close(Side, Close),
    Abandon,
    Resume,
}

/// The bytes of one direction.
#[derive(Default)]
struct Direction {
    /// Not yet read.
    unread: VecDeque<Piece>,
    received: Vec<u8>,
    passed: Vec<u8>,
}

enum Piece {
    Bytes(Duration, Vec<u8>),
    Gap(u64),
}

/// A connection, and a line for each of its events. Adjacent data are one line, however they were divided.
pub(crate) struct Driver {
    connection: Connection,
    client: Direction,
    app: Direction,
    log: Vec<String>,
    /// The last line of the log, if it is data that may continue: its key and bytes.
    data: Option<(String, Vec<u8>)>,
    now: Duration,
    /// Whether no byte is missing or ignored.
    is_exact: bool,
}

impl Driver {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            connection: Connection::new(limits),
            client: Direction::default(),
            app: Direction::default(),
            log: Vec::new(),
            data: None,
            now: Duration::ZERO,
            is_exact: true,
        }
    }

    /// The log of all inputs, which arrive a second after each other.
    pub(crate) fn run(limits: Limits, inputs: &[Input]) -> Vec<String> {
        let mut driver = Self::new(limits);
        for input in inputs {
            driver.input(input);
        }
        driver.finish()
    }

    pub(crate) fn input(&mut self, input: &Input) {
        self.now += Duration::from_secs(1);
        let now = self.now;
        match input {
            Input::Bytes(side, bytes) => {
                let direction = self.direction(*side);
                direction.received.extend_from_slice(bytes);
                let piece = Piece::Bytes(now, bytes.clone());
                direction.unread.push_back(piece);
                self.pump();
            }
            Input::Gap(side, missing) => {
                self.is_exact = false;
                self.direction(*side).unread.push_back(Piece::Gap(*missing));
                self.pump();
            }
            Input::Close(side, close) => {
                let ended = self.connection.close(*side, *close).collect();
                self.ended(ended);
            }
            Input::Abandon => {
                self.is_exact = false;
                let ended = self.connection.abandon().collect();
                self.ended(ended);
            }
            Input::Resume => {
                let ended = self.connection.resume().collect();
                self.ended(ended);
            }
        }
        // The time of the check is linear in what was received.
        if self.client.received.len() + self.app.received.len() < 1_000 {
            self.check();
        }
    }

    /// The bytes that a gateway would have forwarded.
    pub(crate) fn passed(&self, side: Side) -> &[u8] {
        match side {
            Side::Client => &self.client.passed,
            Side::App => &self.app.passed,
        }
    }

    pub(crate) fn finish(mut self) -> Vec<String> {
        self.check();
        self.flush();
        self.log
    }

    fn direction(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Client => &mut self.client,
            Side::App => &mut self.app,
        }
    }

    /// The client goes first, since an app answers only what was forwarded to it.
    fn pump(&mut self) {
        while self.step(Side::Client) || self.step(Side::App) {}
    }

    /// Returns whether something happened.
    fn step(&mut self, side: Side) -> bool {
        let direction = self.direction(side);
        let mut piece = direction.unread.pop_front();
        let moved = match &mut piece {
            Some(Piece::Bytes(at, bytes)) => {
                let mut rest = &bytes[..];
                let step = self.connection.read(side, *at, &mut rest);
                let left = rest.len();
                let event = event(side, &step);
                let passed = step.passed.to_vec();
                let moved = event.is_some() || left < bytes.len();
                bytes.drain(..bytes.len() - left);
                self.direction(side).passed.extend(passed);
                self.note(event);
                moved
            }
            Some(Piece::Gap(missing)) => {
                let before = *missing;
                let event = event(side, &self.connection.skip(side, missing));
                let moved = event.is_some() || *missing < before;
                self.note(event);
                moved
            }
            // The end of a message is an event without input.
            None => {
                let step = self.connection.read(side, Duration::ZERO, &mut &[][..]);
                let event = event(side, &step);
                let passed = step.passed.to_vec();
                let moved = event.is_some();
                self.direction(side).passed.extend(passed);
                self.note(event);
                moved
            }
        };
        let left = piece.filter(|piece| match piece {
            Piece::Bytes(_, bytes) => !bytes.is_empty(),
            Piece::Gap(missing) => *missing > 0,
        });
        if let Some(left) = left {
            self.direction(side).unread.push_front(left);
        }
        moved
    }

    /// All bytes are passed, held or left, in this order.
    fn check(&self) {
        if !self.is_exact {
            return;
        }
        for (side, direction) in [(Side::Client, &self.client), (Side::App, &self.app)] {
            let mut known = direction.passed.clone();
            known.extend_from_slice(self.connection.held(side));
            for piece in &direction.unread {
                if let Piece::Bytes(_, bytes) = piece {
                    known.extend_from_slice(bytes);
                }
            }
            assert_eq!(escape(&known), escape(&direction.received), "{side:?}");
        }
    }

    fn ended(&mut self, ended: Vec<(Exchange, Outcome)>) {
        self.flush();
        for (exchange, outcome) in ended {
            self.log
                .push(format!("outcome {} {outcome:?}", exchange.number));
        }
    }

    fn note(&mut self, event: Option<Noted>) {
        match event {
            Some(Noted::Data(key, bytes)) => match &mut self.data {
                Some((same, data)) if *same == key => data.extend(bytes),
                _ => {
                    self.flush();
                    self.data = Some((key, bytes));
                }
            },
            Some(Noted::Line(line)) => {
                self.flush();
                self.log.push(line);
            }
            None => {}
        }
    }

    fn flush(&mut self) {
        if let Some((key, data)) = self.data.take() {
            self.log.push(format!("{key} {}", escape(&data)));
        }
    }
}
