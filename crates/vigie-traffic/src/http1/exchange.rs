use std::time::Duration;

use crate::RequestHead;

/// A request and its response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Its number on the connection, from 0.
    pub number: u64,
    /// When the first byte of the request line was read.
    pub began: Duration,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The response is complete.
    Completed,
    /// The client closed the connection before.
    ClientLeft,
    /// The app closed the connection before.
    AppLeft,
    /// Bytes are missing or refused, or the app had announced that it would close before this response.
    Unknown,
}

/// The properties of a request that its response depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) head: bool,
    pub(crate) connect: bool,
    pub(crate) upgrade: bool,
}

/// An exchange without a complete response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) exchange: Exchange,
    pub(crate) asked: Asked,
    /// Whether the head of the final response was read.
    pub(crate) answered: bool,
}

impl Pending {
    pub(crate) fn new(exchange: Exchange, head: &RequestHead<'_>) -> Self {
        let asked = Asked {
            head: head.method() == "HEAD",
            connect: head.method() == "CONNECT",
            upgrade: head.asks_upgrade(),
        };
        Self {
            exchange,
            asked,
            answered: false,
        }
    }

    pub(crate) fn asks_switch(&self) -> bool {
        self.asked.connect || self.asked.upgrade
    }
}
