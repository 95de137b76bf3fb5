//! Metrics that are counted from the bytes of a connection.

use std::time::Duration;

use proptest::prelude::*;
use vigie_metrics::{Format, Registry};
use vigie_testkit::promtext::{self, Scrape};
use vigie_traffic::{Close, Ended, Limits, Observed, Settings, Side, Traffic};

const OPEN: &str = r#"0{"sid":"S","upgrades":["websocket"],"pingInterval":1000,"pingTimeout":800,"maxPayload":1000000}"#;

/// The shared state of one app.
pub(crate) struct App {
    pub(crate) traffic: Traffic,
    registry: Registry,
}

impl App {
    pub(crate) fn new() -> Self {
        let registry = Registry::new();
        let settings = Settings {
            routes: ["/orders/:id", "/", "/poll"].map(str::to_owned).to_vec(),
            stream_routes: vec!["/poll".to_owned()],
            stream_bytes: 1_000,
            ..Settings::default()
        };
        let traffic = Traffic::new(&settings, &registry, || ()).unwrap();
        Self { traffic, registry }
    }

    pub(crate) fn scrape(&self) -> Scrape {
        let page = self.registry.expose(Format::Text);
        Scrape::parse(&page, promtext::Format::Text).unwrap()
    }

    /// The number of requests with these labels, and their durations in milliseconds.
    pub(crate) fn requests(&self, method: &str, route: &str, code: &str) -> (u64, u64) {
        let labels = [("method", method), ("route", route), ("code", code)];
        let scrape = self.scrape();
        let value = |suffix| {
            let name = format!("http_request_duration_seconds_{suffix}");
            scrape.value(&name, &labels).unwrap_or_default()
        };
        ((value("count")) as u64, (value("sum") * 1e3).round() as u64)
    }

    pub(crate) fn all_requests(&self) -> u64 {
        self.scrape()
            .sum("http_request_duration_seconds_count", &[]) as u64
    }

    pub(crate) fn value(&self, name: &str) -> u64 {
        self.scrape().value(name, &[]).unwrap() as u64
    }

    fn sessions(&self) -> u64 {
        self.value("socket_active_connections")
    }

    pub(crate) fn connect(&self) -> Wire<'_> {
        Wire {
            app: self,
            connection: self.traffic.connection(Limits::default()),
            piece: usize::MAX,
        }
    }
}

/// A connection whose bytes arrive in pieces.
pub(crate) struct Wire<'a> {
    app: &'a App,
    pub(crate) connection: Observed,
    piece: usize,
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Wire<'_> {
    fn send(&mut self, from: Side, at: u64, bytes: impl AsRef<[u8]>) {
        for mut piece in bytes.as_ref().chunks(self.piece) {
            while self
                .connection
                .read(from, ms(at), &mut piece)
                .event
                .is_some()
            {}
        }
    }

    pub(crate) fn client(&mut self, at: u64, bytes: impl AsRef<[u8]>) {
        self.send(Side::Client, at, bytes);
    }

    pub(crate) fn app(&mut self, at: u64, bytes: impl AsRef<[u8]>) {
        self.send(Side::App, at, bytes);
    }

    fn miss(&mut self, from: Side, at: u64, mut missing: u64) {
        while self
            .connection
            .skip(from, ms(at), &mut missing)
            .event
            .is_some()
        {}
    }

    fn exchange(&mut self, at: u64, method: &str, target: &str, body: &str, answer: &str) {
        let length = body.len();
        self.client(
            at,
            format!(
                "{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
        );
        self.app(at, ok(answer));
    }

    pub(crate) fn upgrade(&mut self, at: u64, target: &str) {
        self.client(
            at,
            format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        );
        self.app(
            at,
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        );
    }

    pub(crate) fn close(&mut self, from: Side, at: u64, close: Close) -> Ended {
        self.connection.close(from, ms(at), close)
    }
}

pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

pub(crate) fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A frame of the app, and of the client with a mask of zeros.
fn frame(masked: bool, flags: u8, payload: &str) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    let mut frame = vec![flags, length | if masked { 0x80 } else { 0 }];
    frame.extend(if masked { &[0; 4][..] } else { &[] });
    frame.extend(payload.as_bytes());
    frame
}

/// Runs a scenario with pieces of many sizes.
fn however_cut(scenario: impl Fn(&App, &mut Wire<'_>)) {
    for piece in [1, 2, 3, 7, 20, usize::MAX] {
        let app = App::new();
        let mut wire = app.connect();
        wire.piece = piece;
        scenario(&app, &mut wire);
        drop(wire);
        assert_eq!(app.value("vigie_gateway_requests_in_flight"), 0);
    }
}

#[test]
fn a_request_is_counted_once_with_its_duration() {
    however_cut(|app, wire| {
        wire.client(1_000, get("/orders/7?page=2"));
        assert_eq!(app.value("vigie_gateway_requests_in_flight"), 1);
        wire.app(1_040, "HTTP/1.1 103 Early Hints\r\n\r\n");
        assert_eq!(app.all_requests(), 0);
        wire.app(1_040, "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\n");
        wire.app(1_250, "done");
        assert_eq!(app.requests("GET", "/orders/:id", "201"), (1, 250));
        wire.client(
            5_000,
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        wire.client(5_500, "3\r\nabc\r\n0\r\n\r\n");
        wire.app(
            6_000,
            "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n",
        );
        wire.app(7_000, "0\r\n\r\n");
        assert_eq!(app.requests("POST", "/", "503"), (1, 2_000));
        assert_eq!(app.all_requests(), 2);
        assert_eq!(app.scrape().sum("http_requests_errors_total", &[]), 1.0);
    });
}

#[test]
fn the_time_in_which_a_client_sends_its_head_is_not_the_apps() {
    let app = App::new();
    let mut wire = app.connect();
    wire.client(0, "GET / HT");
    wire.client(9_000, "TP/1.1\r\nHost: a\r\n\r\n");
    wire.app(9_010, ok(""));
    assert_eq!(app.requests("GET", "/", "200"), (1, 10));
}

#[test]
fn pipelined_requests_are_paired_with_their_responses() {
    however_cut(|app, wire| {
        let requests = [get("/orders/1"), get("/"), get("/orders/2")].concat();
        wire.client(0, requests);
        wire.app(
            10,
            [
                ok("a"),
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into(),
            ]
            .concat(),
        );
        wire.app(30, ok("b"));
        assert_eq!(app.requests("GET", "/orders/:id", "200"), (2, 40));
        assert_eq!(app.requests("GET", "/", "404"), (1, 10));
    });
}

#[test]
fn a_connection_that_ends_counts_for_the_one_who_ended_it() {
    however_cut(|app, wire| {
        wire.client(0, get("/"));
        let ended = wire.close(Side::Client, 50, Close::Reset);
        assert_eq!(
            ended,
            Ended {
                client_left: 1,
                ..Ended::default()
            }
        );
        assert_eq!(app.requests("GET", "/", "499"), (1, 50));
    });
    however_cut(|app, wire| {
        wire.client(0, get("/"));
        let ended = wire.close(Side::App, 50, Close::Finished);
        assert_eq!(
            ended,
            Ended {
                unanswered: 1,
                ..Ended::default()
            }
        );
        assert_eq!(app.requests("GET", "/", "502"), (1, 50));
    });
    however_cut(|app, wire| {
        wire.client(0, get("/"));
        wire.app(10, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
        let ended = wire.close(Side::App, 50, Close::Finished);
        assert_eq!(
            ended,
            Ended {
                cut: 1,
                ..Ended::default()
            }
        );
        assert_eq!(app.requests("GET", "/", "502"), (1, 50));
    });
    however_cut(|app, wire| {
        wire.client(0, get("/"));
        wire.app(10, "HTTP/1.1 200 OK\r\n\r\nabc");
        let ended = wire.close(Side::App, 50, Close::Finished);
        assert_eq!(
            ended,
            Ended {
                completed: 1,
                ..Ended::default()
            }
        );
        assert_eq!(app.requests("GET", "/", "200"), (1, 50));
    });
    // A proxy in front gives up.
    however_cut(|app, wire| {
        wire.client(0, [get("/"), get("/orders/1")].concat());
        wire.connection.fail(ms(60), 504, true);
        assert_eq!(app.requests("GET", "/", "504"), (1, 60));
        assert_eq!(app.requests("GET", "/orders/:id", "504"), (1, 60));
    });
}

#[test]
fn missing_bytes_never_make_a_wrong_count() {
    however_cut(|app, wire| {
        // Within a body of known length they cost nothing.
        wire.client(0, get("/"));
        wire.app(10, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        wire.miss(Side::App, 15, 990);
        wire.app(20, "0123456789");
        assert_eq!(app.requests("GET", "/", "200"), (1, 20));
        // A response that is missing is unknown.
        wire.client(100, get("/"));
        wire.miss(Side::App, 110, 50);
        wire.client(200, get("/"));
        let ended = wire.connection.abandon(ms(300));
        assert_eq!(ended.unknown, 2);
        assert_eq!(app.value("vigie_requests_abandoned_total"), 2);
        wire.client(400, get("/"));
        wire.app(410, ok(""));
        assert_eq!(app.all_requests(), 1, "nothing is read before it resumes");
        wire.connection.resume(ms(500));
        wire.client(600, get("/"));
        wire.app(605, ok(""));
        assert_eq!(app.requests("GET", "/", "200"), (2, 25));
    });
}

#[test]
fn sessions_open_by_polling_and_close() {
    however_cut(|app, wire| {
        let query = "/socket.io/?EIO=4&transport=polling";
        wire.exchange(0, "GET", query, "", OPEN);
        assert_eq!(app.sessions(), 1);
        let of_s = &format!("{query}&sid=S");
        wire.exchange(10, "POST", of_s, "40", "ok");
        wire.exchange(20, "GET", of_s, "", "40{}");
        assert_eq!(app.sessions(), 1);
        wire.exchange(30, "POST", of_s, "1", "ok");
        assert_eq!(app.sessions(), 0);
        // Broken off by its client.
        wire.exchange(0, "GET", query, "", OPEN);
        wire.client(40, get(of_s));
        assert!(wire.connection.is_polled());
        wire.close(Side::Client, 50, Close::Reset);
        assert_eq!(app.sessions(), 0);
        assert_eq!(app.all_requests(), 0);
    });
    // Silence.
    let app = App::new();
    let mut wire = app.connect();
    wire.exchange(0, "GET", "/socket.io/?EIO=4&transport=polling", "", OPEN);
    assert_eq!(app.traffic.next_expiry(), Some(ms(1_800)));
    assert_eq!(app.traffic.expire(ms(1_799)), Some(ms(1_800)));
    assert_eq!(app.traffic.expire(ms(1_800)), None);
    assert_eq!(app.sessions(), 0);
}

#[test]
fn sessions_open_by_websocket_and_by_upgrade() {
    for path in ["/socket.io/", "/game/socket/"] {
        however_cut(|app, wire| {
            wire.upgrade(0, &format!("{path}?EIO=4&transport=websocket"));
            wire.app(10, frame(false, 0x81, OPEN));
            assert_eq!(app.sessions(), 1);
            wire.client(20, frame(true, 0x81, "40"));
            wire.app(30, frame(false, 0x88, ""));
            assert_eq!(app.sessions(), 0);
            assert_eq!(app.all_requests(), 0);
        });
    }
    however_cut(|app, wire| {
        wire.exchange(0, "GET", "/socket.io/?EIO=4&transport=polling", "", OPEN);
        wire.upgrade(10, "/socket.io/?EIO=4&transport=websocket&sid=S");
        wire.client(20, frame(true, 0x81, "2probe"));
        wire.app(30, frame(false, 0x81, "3probe"));
        wire.client(40, frame(true, 0x81, "5"));
        let labels = [("transport", "websocket")];
        assert_eq!(
            app.scrape().value("socketio_connections", &labels),
            Some(1.0)
        );
        assert_eq!(app.traffic.next_expiry(), None);
        wire.close(Side::App, 50, Close::Finished);
        assert_eq!(app.sessions(), 0);
    });
    // Bytes of the WebSocket are missing.
    however_cut(|app, wire| {
        wire.upgrade(0, "/socket.io/?EIO=4&transport=websocket");
        wire.app(10, frame(false, 0x81, OPEN));
        wire.miss(Side::App, 20, 100);
        assert_eq!(app.sessions(), 0);
        assert_eq!(app.value("socketio_sessions_forgotten_total"), 1);
    });
}

#[test]
fn an_ordinary_websocket_is_a_request() {
    for query in ["", "?EIO=4&transport=websocket"] {
        however_cut(|app, wire| {
            wire.upgrade(0, &format!("/orders/1{query}"));
            wire.app(10, frame(false, 0x81, "hello"));
            assert_eq!(app.requests("GET", "/orders/:id", "101"), (1, 0));
            wire.close(Side::Client, 50, Close::Reset);
            assert_eq!(app.all_requests(), 1);
            assert_eq!(app.sessions(), 0);
        });
    }
    // It closes before its first message.
    let app = App::new();
    let mut wire = app.connect();
    wire.upgrade(0, "/orders/1?EIO=4&transport=websocket");
    wire.close(Side::App, 50, Close::Finished);
    assert_eq!(app.all_requests(), 1);
}

/// S3 and S4: a client can write any query, and some endpoints return what it writes.
#[test]
fn no_query_removes_a_request_from_the_metrics() {
    let query = "EIO=4&transport=polling";
    however_cut(|app, wire| {
        let mut sent = 0;
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n6",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 27\r\n\r\n{\"code\":1,\"message\":\"none\"}",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n",
        ] {
            for sid in ["", "&sid=S"] {
                for method in ["GET", "POST", "OPTIONS"] {
                    let target = format!("/orders/1?{query}{sid}");
                    wire.client(
                        0,
                        format!(
                            "{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
                        ),
                    );
                    wire.app(1, answer);
                    sent += 1;
                }
            }
        }
        // An echo of a header.
        wire.client(
            0,
            format!("GET /orders/1?{query} HTTP/1.1\r\nHost: a\r\nUser-Agent: {OPEN}\r\n\r\n"),
        );
        wire.app(1, ok(OPEN));
        // Two that are broken off.
        wire.client(0, get(&format!("/orders/1?{query}")));
        wire.close(Side::Client, 1, Close::Reset);
        let mut other = app.connect();
        other.client(0, get(&format!("/orders/1?{query}&sid=S")));
        other.close(Side::App, 1, Close::Finished);
        assert_eq!(app.all_requests(), sent + 3);
        assert_eq!(app.sessions(), 0);
    });
}

#[test]
fn nobody_ends_a_session_from_another_path() {
    let app = App::new();
    let mut wire = app.connect();
    wire.exchange(0, "GET", "/socket.io/?EIO=4&transport=polling", "", OPEN);
    let of_s = "/orders/1?EIO=4&transport=polling&sid=S";
    wire.exchange(0, "POST", of_s, "1", "ok");
    wire.exchange(0, "GET", of_s, "", "1");
    wire.client(0, get(of_s));
    wire.app(0, "HTTP/1.1 400 Bad\r\nContent-Length: 41\r\n\r\n{\"code\":1,\"message\":\"Session ID unknown\"}");
    wire.client(0, get(of_s));
    wire.close(Side::Client, 1, Close::Reset);
    assert_eq!(app.sessions(), 1);
    assert_eq!(app.all_requests(), 4);
}

/// G9: a stream lasts as long as its client wants.
#[test]
fn streams_are_apart_from_the_latency() {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let first_bytes = |app: &App, code: &str| {
        let labels = [("method", "GET"), ("route", "/"), ("code", code)];
        let scrape = app.scrape();
        let value = |name: &str| scrape.value(name, &labels).unwrap_or_default();
        let count = value("http_stream_first_byte_seconds_count");
        let sum = value("http_stream_first_byte_seconds_sum");
        (count as u64, (sum * 1e3).round() as u64)
    };
    // Ended by the client, by the app, and broken off by the app.
    for (ending, errors) in [(0, 0.0), (1, 0.0), (2, 1.0)] {
        however_cut(|app, wire| {
            wire.client(0, get("/"));
            wire.app(30, head);
            assert_eq!(app.value("http_streams_open"), 1);
            assert_eq!(app.value("vigie_gateway_requests_in_flight"), 0);
            wire.app(9_000, "5\r\ndata\n\r\n");
            match ending {
                0 => drop(wire.close(Side::Client, 60_000, Close::Reset)),
                1 => wire.app(60_000, "0\r\n\r\n"),
                _ => drop(wire.close(Side::App, 60_000, Close::Reset)),
            }
            assert_eq!(first_bytes(app, "200"), (1, 30));
            assert_eq!(app.value("http_streams_open"), 0);
            assert_eq!(app.all_requests(), 0);
            assert_eq!(app.scrape().sum("http_requests_errors_total", &[]), errors);
        });
    }
    // An error is an ordinary response, whatever its type.
    however_cut(|app, wire| {
        wire.client(0, get("/"));
        wire.app(30, head.replace("200", "500"));
        wire.app(40, "0\r\n\r\n");
        assert_eq!(app.requests("GET", "/", "500"), (1, 40));
        assert_eq!(first_bytes(app, "500"), (0, 0));
    });
}

/// The bytes of both sides, of which any may be missing.
fn history() -> impl Strategy<Value = Vec<(Side, Vec<u8>, u64)>> {
    let side = prop_oneof![Just(Side::Client), Just(Side::App)];
    let known = prop::sample::select(vec![
        get("/"),
        get("/socket.io/?EIO=4&transport=polling"),
        get("/socket.io/?EIO=4&transport=polling&sid=S"),
        "GET /socket.io/?EIO=4&transport=websocket&sid=S HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".into(),
        ok("ok"),
        ok(OPEN),
        ok("1"),
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".into(),
        "\u{1}5".into(),
    ]);
    let bytes = known.prop_map(String::into_bytes);
    let missing = prop_oneof![4 => Just(0), 1 => 1u64..200];
    prop::collection::vec((side, bytes, missing), 0..40)
}

proptest! {
    #[test]
    fn nothing_is_left_when_a_connection_has_ended(history in history(), abandons in any::<bool>()) {
        let app = App::new();
        let mut wire = app.connect();
        for (at, (side, bytes, missing)) in history.iter().enumerate() {
            let at = at as u64;
            wire.miss(*side, at, *missing);
            wire.send(*side, at, bytes);
        }
        if abandons {
            wire.connection.abandon(ms(100));
        }
        wire.close(Side::App, 100, Close::Reset);
        let app = wire.app;
        prop_assert_eq!(app.value("vigie_gateway_requests_in_flight"), 0);
        let websockets = app.scrape().value("socketio_connections", &[("transport", "websocket")]);
        prop_assert_eq!(websockets, Some(0.0));
        prop_assert_eq!(app.scrape().sum("http_websockets_open", &[]), 0.0);
        prop_assert_eq!(app.value("http_streams_open"), 0);
        let _ = app.traffic.expire(ms(10_000_000));
        prop_assert_eq!(app.sessions(), 0);
    }
}
