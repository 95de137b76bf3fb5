//! A client and a server played against the taps, byte by byte.

#![allow(clippy::unwrap_used)]

mod anything;
mod compressed;
mod exchanges;
mod rules;

use vigie_metrics::Format;

use super::*;

const OPEN: &str = r#"0{"sid":"S","upgrades":["websocket"],"pingInterval":1000,"pingTimeout":800,"maxPayload":1000000}"#;
const POLL: &str = "EIO=4&transport=polling&t=x";
const OF_S: &str = "EIO=4&transport=polling&sid=S";
const WS: &str = "EIO=4&transport=websocket";
const WS_OF_S: &str = "EIO=4&transport=websocket&sid=S";
const UNKNOWN: &str = r#"{"code":1,"message":"Session ID unknown"}"#;

/// What stands between a client and a server: bytes come in pieces of any size.
struct Wire {
    engineio: EngineIo,
    registry: Registry,
    millis: Arc<AtomicU64>,
    piece: usize,
}

impl Wire {
    fn new(piece: usize) -> Self {
        let registry = Registry::new();
        let millis = Arc::new(AtomicU64::new(0));
        let engineio = EngineIo::new(&registry, Limits::default(), Box::new(|| ()));
        Self {
            engineio,
            registry,
            millis,
            piece,
        }
    }

    fn at(&self, millis: u64) {
        self.millis.store(millis, Relaxed);
        self.engineio.expire(self.now());
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.millis.load(Relaxed))
    }

    fn begin(&self, method: &str, query: &str) -> (RequestTap, ResponseTap) {
        self.begin_on("/socket.io/", method, query).unwrap()
    }

    fn begin_on(&self, path: &str, method: &str, query: &str) -> Option<(RequestTap, ResponseTap)> {
        let target = format!("{path}?{query}");
        let head = format!("{method} {target} HTTP/1.1\r\nHost: game\r\n\r\n");
        self.engineio
            .exchange(self.now(), method, &target, head.as_bytes())
    }

    /// The connection of the exchange ends.
    fn leave(&self, (mut request, mut response): (RequestTap, ResponseTap)) {
        request.left_at(self.now());
        response.left_at(self.now());
    }

    fn answer(&self, mut tap: ResponseTap, status: u16, encoding: Option<&str>, body: &[u8]) {
        tap.head(status, encoding);
        body.chunks(self.piece)
            .for_each(|piece| tap.chunk(self.now(), piece));
        tap.end(self.now());
    }

    fn get(&self, query: &str, status: u16, body: &str) {
        let (mut request, response) = self.begin("GET", query);
        request.end();
        self.answer(response, status, None, body.as_bytes());
    }

    fn post(&self, query: &str, body: &str, status: u16, answer: &str) {
        let (mut request, response) = self.begin("POST", query);
        body.as_bytes()
            .chunks(self.piece)
            .for_each(|piece| request.chunk(piece));
        request.end();
        self.answer(response, status, None, answer.as_bytes());
    }

    fn open(&self) {
        self.get(POLL, 200, OPEN);
        assert_eq!(self.counts(), (1, 0));
    }

    fn ws(&self, query: &str) -> TunnelTap {
        let (mut request, mut response) = self.begin("GET", query);
        request.end();
        response.head(101, None);
        assert!(response.is_engine_io());
        response.upgraded(self.now())
    }

    fn client(&self, tunnel: &mut TunnelTap, flags: u8, payload: &[u8]) {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let mut frame = vec![flags, 0x80 | u8::try_from(payload.len()).unwrap()];
        frame.extend(mask);
        frame.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        frame
            .chunks(self.piece)
            .for_each(|piece| tunnel.from_client(self.now(), piece));
    }

    fn server(&self, tunnel: &mut TunnelTap, flags: u8, payload: &[u8]) {
        let mut frame = vec![flags, u8::try_from(payload.len()).unwrap()];
        frame.extend(payload);
        frame
            .chunks(self.piece)
            .for_each(|piece| tunnel.from_server(self.now(), piece));
    }

    /// A session that opened by polling and has upgraded.
    fn upgraded(&self) -> TunnelTap {
        self.open();
        let mut tunnel = self.ws(WS_OF_S);
        self.client(&mut tunnel, 0x81, b"2probe");
        self.server(&mut tunnel, 0x81, b"3probe");
        assert_eq!(self.counts(), (1, 0), "a candidate changes nothing");
        self.get(OF_S, 200, "6");
        self.client(&mut tunnel, 0x81, b"5");
        assert_eq!(self.counts(), (0, 1));
        tunnel
    }

    fn counts(&self) -> (usize, usize) {
        let counts = self.engineio.0.state.lock().sessions.counts();
        let page = self.registry.expose(Format::Text);
        for line in [
            format!("socket_active_connections {}\n", counts.sessions()),
            format!(
                "socketio_connections{{transport=\"polling\"}} {}\n",
                counts.polling
            ),
            format!(
                "socketio_connections{{transport=\"websocket\"}} {}\n",
                counts.websocket
            ),
            format!("socketio_sessions_adopted_total {}\n", counts.adopted),
            format!("socketio_sessions_untracked_total {}\n", counts.refused),
            format!("socketio_sessions_forgotten_total {}\n", counts.forgotten),
        ] {
            assert!(page.contains(&line), "{line} is not in:\n{page}");
        }
        assert_eq!(self.engineio.count(), counts.sessions());
        (counts.polling, counts.websocket)
    }
}

/// Runs a scenario with the bytes cut into pieces of many sizes, single bytes among them.
fn however_cut(scenario: impl Fn(&Wire)) {
    for piece in [1, 2, 3, 4, 5, 7, 11, 16, 50, 100_000] {
        let wire = Wire::new(piece);
        assert_eq!(wire.counts(), (0, 0), "0 is shown from the start");
        scenario(&wire);
    }
}

/// A scenario that ends with no session.
fn ends(scenario: impl Fn(&Wire)) {
    however_cut(|wire| {
        scenario(wire);
        assert_eq!(wire.counts(), (0, 0));
    });
}

/// A scenario that ends with the session polling.
fn lives(scenario: impl Fn(&Wire)) {
    however_cut(|wire| {
        wire.open();
        scenario(wire);
        assert_eq!(wire.counts(), (1, 0));
    });
}
