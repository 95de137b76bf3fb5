//! The bytes of both sides: which of them are forwarded, and what they mean.

use std::time::Duration;

use vigie_traffic::{Event, Fault, Side};

use super::{App, Phase, Pump};
use crate::forwarding::Forwarder;
use crate::output::Output;
use crate::proxy_protocol::{self, MAX_HEADER};
use crate::reason::Reason;

/// How many bytes are discarded at most.
const LINGER_BYTES: usize = 64 << 20;

impl Pump {
    /// Bytes from the client.
    pub(crate) fn client_bytes(&mut self, now: Duration, input: &[u8], out: &mut Output<'_, '_>) {
        self.last = now;
        if self.app == App::Finished {
            out.push(input);
            return;
        }
        let Some(mut rest) = self.after_proxy_header(now, input) else {
            return;
        };
        let refused = loop {
            let step = self.observed.read(Side::Client, now, &mut rest);
            match &step.event {
                Some(Event::Request(head)) => {
                    self.head_since = None;
                    if head.method() == "CONNECT" {
                        break Some((Reason::ConnectMethod, step.exchange.number, None));
                    }
                    if self.app == App::None {
                        self.app = App::Wanted;
                        self.to_app = self.forwarder.header();
                    }
                    self.forwarder.write(head, out);
                }
                // The connection ends after the last response, which may have passed already.
                Some(Event::Refused(Fault::AfterLast)) => {
                    self.ignores_client = true;
                    self.settle(now);
                    return;
                }
                Some(Event::Refused(fault)) => {
                    out.push(step.passed);
                    let number = step.exchange.number;
                    break Some((Reason::of_fault(*fault), number, Some(*fault)));
                }
                event => {
                    let is_last = event.is_none();
                    out.push(step.passed);
                    if is_last {
                        break None;
                    }
                }
            }
        };
        if let Some((reason, number, fault)) = refused {
            self.refuse(now, reason, number, fault);
            return;
        }
        self.unread = rest.to_vec();
        let is_split = !self.observed.connection().held(Side::Client).is_empty();
        if is_split {
            self.head_since.get_or_insert(now);
        }
    }

    /// The input after the header of the PROXY protocol, if one is awaited and once it is complete.
    fn after_proxy_header<'i>(&mut self, now: Duration, input: &'i [u8]) -> Option<&'i [u8]> {
        let Some(held) = &mut self.proxy_header else {
            return Some(input);
        };
        let before = held.len();
        let length = input.len().min(MAX_HEADER - before);
        held.extend_from_slice(&input[..length]);
        match proxy_protocol::parse(held) {
            Ok(None) => {
                self.head_since.get_or_insert(now);
                None
            }
            Ok(Some(header)) => {
                if let Some(addresses) = &header.addresses {
                    self.forwarder = Forwarder::proxied(&self.settings, addresses);
                }
                self.proxy_header = None;
                self.head_since = None;
                input.get(header.length - before..)
            }
            Err(_) => {
                self.refuse(now, Reason::ProxyHeaderInvalid, u64::MAX, None);
                None
            }
        }
    }

    /// Reads what was left while the client's requests waited for the app.
    fn read_on(&mut self, now: Duration) {
        if self.unread.is_empty()
            || self.observed.connection().is_waiting()
            || self.phase != Phase::Open
        {
            return;
        }
        let unread = std::mem::take(&mut self.unread);
        let mut to_app = std::mem::take(&mut self.to_app);
        let mut copied = Vec::new();
        let mut out = Output::new(&unread, &mut copied);
        self.client_bytes(now, &unread, &mut out);
        to_app.extend_from_slice(out.bytes());
        self.to_app = to_app;
    }

    /// Bytes of the client after the last ones that are read.
    pub(crate) fn discard(&mut self, now: Duration, length: usize) {
        self.last = now;
        if let Phase::Closing { discarded, .. } = &mut self.phase {
            *discarded += length;
            if *discarded > LINGER_BYTES {
                self.phase = Phase::Done;
            }
        }
    }

    /// Bytes from the app.
    pub(crate) fn app_bytes(&mut self, now: Duration, input: &[u8], out: &mut Output<'_, '_>) {
        self.last = now;
        let mut rest = input;
        let refused = loop {
            let step = self.observed.read(Side::App, now, &mut rest);
            self.answered |= !step.passed.is_empty();
            out.push(step.passed);
            match &step.event {
                None => break None,
                Some(Event::Refused(fault)) => break Some(*fault),
                Some(Event::Switched) => self.switched = true,
                Some(_) => {}
            }
        };
        if let Some(fault) = refused {
            // Written before what follows it.
            self.to_client.extend_from_slice(out.bytes());
            out.buffer().clear();
            self.invalid(now, fault);
            return;
        }
        self.read_on(now);
    }
}
