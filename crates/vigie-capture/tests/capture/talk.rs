//! Conversations between clients and an app, as packets, and what a capture makes of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use vigie_capture::filter::{Depth, Instruction, Port, program};
use vigie_capture::{Capture, Limits};
use vigie_metrics::Registry;
use vigie_traffic::{Settings, Side, Traffic};

use crate::interpreter::captured;
use crate::wire::{ACK, FIN, RST, SYN, Seen, Tcp};

pub(crate) const PORT: u16 = 3000;

/// The codes of the responses; the path of a request names its code.
pub(crate) const CODES: [u16; 7] = [200, 201, 204, 304, 400, 500, 503];

/// A response body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Length(usize),
    Chunked(usize),
}

/// A request and its response.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: &'static str,
    pub(crate) code: u16,
    pub(crate) sent: usize,
    pub(crate) body: Body,
}

impl Exchange {
    pub(crate) fn request(&self) -> Vec<u8> {
        let (method, code, sent) = (self.method, self.code, self.sent);
        let length = match sent {
            0 => String::new(),
            _ => format!("Content-Length: {sent}\r\n"),
        };
        let head = format!("{method} /c{code} HTTP/1.1\r\nHost: shop.test\r\n{length}\r\n");
        [head.into_bytes(), resembling(sent)].concat()
    }

    pub(crate) fn response(&self) -> Vec<u8> {
        let code = self.code;
        let without = matches!(code, 204 | 304) || self.method == "HEAD";
        match self.body {
            _ if code == 204 || code == 304 => format!("HTTP/1.1 {code} No\r\n\r\n").into_bytes(),
            Body::Length(length) => {
                let head = format!("HTTP/1.1 {code} OK\r\nContent-Length: {length}\r\n\r\n");
                let body = if without {
                    Vec::new()
                } else {
                    resembling(length)
                };
                [head.into_bytes(), body].concat()
            }
            Body::Chunked(length) => {
                let head = format!("HTTP/1.1 {code} OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                let mut bytes = head.into_bytes();
                if !without {
                    for chunk in resembling(length).chunks(700) {
                        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                        bytes.extend(chunk);
                        bytes.extend(b"\r\n");
                    }
                    bytes.extend(b"0\r\n\r\n");
                }
                bytes
            }
        }
    }
}

/// Bytes that resemble the messages around them.
fn resembling(length: usize) -> Vec<u8> {
    let text = b"\r\n\r\nHTTP/1.1 299 Wrong\r\nContent-Length: 0\r\n\r\nGET /wrong HTTP/1.1\r\nHost: a\r\n\r\n";
    text.iter().copied().cycle().take(length).collect()
}

/// A connection, whose packets are written in their order.
pub(crate) struct Talk {
    client: SocketAddr,
    app: SocketAddr,
    /// The numbers of the next bytes.
    next: (u32, u32),
    segment: usize,
    pub(crate) packets: Vec<Vec<u8>>,
}

impl Talk {
    /// The connection with this number, which sends segments of at most `segment` bytes.
    pub(crate) fn new(number: u16, segment: usize) -> Self {
        let six = number % 2 == 1;
        let address = |last: u8, port: u16| match six {
            true => format!("[fd00::{last}]:{port}").parse().unwrap(),
            false => SocketAddr::from(([10, 0, 0, last], port)),
        };
        Self {
            client: address(1, 40_000 + number % 1000),
            app: address(2, PORT),
            next: (
                u32::from(number).wrapping_mul(0x9e37_79b9),
                u32::MAX - 2_000,
            ),
            segment,
            packets: Vec::new(),
        }
    }

    /// A packet from this side.
    pub(crate) fn packet(&mut self, from: Side, flags: u8, payload: &[u8]) {
        let (client, app) = (self.client, self.app);
        let (from_address, to) = match from {
            Side::Client => (client, app),
            Side::App => (app, client),
        };
        let (sent, received) = match from {
            Side::Client => (&mut self.next.0, self.next.1),
            Side::App => (&mut self.next.1, self.next.0),
        };
        let tcp = Tcp {
            from: from_address,
            to,
            sequence: *sent,
            acknowledged: if flags & ACK == 0 { 0 } else { received },
            flags,
            options: 12,
            payload,
        };
        let numbers = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        *sent = sent.wrapping_add(numbers);
        self.packets.push(tcp.packet());
    }

    pub(crate) fn open(&mut self) {
        self.packet(Side::Client, SYN, b"");
        self.packet(Side::App, SYN | ACK, b"");
        self.packet(Side::Client, ACK, b"");
    }

    pub(crate) fn send(&mut self, from: Side, bytes: &[u8]) {
        for part in bytes.chunks(self.segment) {
            self.packet(from, ACK, part);
        }
    }

    pub(crate) fn exchange(&mut self, exchange: &Exchange) {
        self.send(Side::Client, &exchange.request());
        self.send(Side::App, &exchange.response());
    }

    pub(crate) fn close(&mut self, by: Side) {
        let other = match by {
            Side::Client => Side::App,
            Side::App => Side::Client,
        };
        self.packet(by, FIN | ACK, b"");
        self.packet(other, FIN | ACK, b"");
        self.packet(by, ACK, b"");
    }

    pub(crate) fn reset(&mut self, by: Side) {
        self.packet(by, RST | ACK, b"");
    }
}

/// Packets of several connections, one of each in turn.
pub(crate) fn interleaved(talks: Vec<Vec<Vec<u8>>>) -> Vec<Vec<u8>> {
    let mut talks: Vec<_> = talks.into_iter().map(Vec::into_iter).collect();
    let mut packets = Vec::new();
    loop {
        let before = packets.len();
        packets.extend(talks.iter_mut().filter_map(Iterator::next));
        if packets.len() == before {
            return packets;
        }
    }
}

/// Requests by method, route and code.
pub(crate) type Requests = BTreeMap<(String, String, String), u64>;

pub(crate) fn truth<'a>(exchanges: impl Iterator<Item = &'a Exchange>) -> Requests {
    let mut requests = Requests::new();
    for Exchange { method, code, .. } in exchanges {
        let series = ((*method).to_owned(), format!("/c{code}"), code.to_string());
        *requests.entry(series).or_default() += 1;
    }
    requests
}

/// A capture, fed with what the filter leaves of each packet.
pub(crate) struct Watched {
    pub(crate) capture: Capture,
    pub(crate) registry: Registry,
    pub(crate) traffic: Traffic,
    program: Vec<Instruction>,
    pub(crate) now: Duration,
}

impl Watched {
    pub(crate) fn new(depth: Depth) -> Self {
        Self::with_limits(depth, Limits::default())
    }

    pub(crate) fn with_limits(depth: Depth, limits: Limits) -> Self {
        let registry = Registry::new();
        let routes = CODES.iter().map(|code| format!("/c{code}")).collect();
        let settings = Settings {
            routes,
            ..Settings::default()
        };
        let traffic = Traffic::new(&settings, &registry, || {}).unwrap();
        let port = Port {
            number: PORT,
            interface: None,
        };
        Self {
            capture: Capture::new(&[PORT], traffic.clone(), limits),
            registry,
            traffic,
            program: program(&[port], depth),
            now: Duration::from_secs(1),
        }
    }

    pub(crate) fn see(&mut self, packet: &[u8]) {
        self.see_on(2, packet);
    }

    pub(crate) fn see_on(&mut self, interface: u32, packet: &[u8]) {
        self.now += Duration::from_micros(100);
        let seen = Seen {
            interface,
            ..Seen::received(packet.to_vec())
        };
        let captured = captured(&self.program, &seen);
        if captured > 0 {
            self.capture
                .packet(self.now, interface, &packet[..captured], packet.len());
        }
    }

    /// Of which at most this number of bytes is captured.
    pub(crate) fn see_cut(&mut self, packet: &[u8], cut: usize) {
        self.now += Duration::from_micros(100);
        let seen = Seen::received(packet.to_vec());
        let captured = captured(&self.program, &seen).min(cut);
        if captured > 0 {
            self.capture
                .packet(self.now, 2, &packet[..captured], packet.len());
        }
    }

    pub(crate) fn see_all(&mut self, packets: &[Vec<u8>]) {
        for packet in packets {
            self.see(packet);
        }
    }

    /// Time passes until everything has expired.
    pub(crate) fn end(&mut self) {
        for _ in 0..3 {
            self.now += Duration::from_secs(1000);
            self.capture.tick(self.now);
        }
        self.now += Duration::from_secs(1000);
        let _ = self.traffic.expire(self.now);
    }

    pub(crate) fn requests(&self) -> Requests {
        crate::readings::requests(&self.registry)
    }

    pub(crate) fn value(&self, metric: &str) -> Option<f64> {
        crate::readings::value(&self.registry, metric)
    }
}
