//! The meaning of the metrics: streams, WebSockets, the first byte, stalls, and requests that the app never received.

use vigie_traffic::{Close, Ended, Side};

use crate::observed::{App, Wire, get, ok};

/// The count and the sum in milliseconds of a histogram.
fn histogram(app: &App, name: &str, labels: &[(&str, &str)]) -> (u64, u64) {
    let scrape = app.scrape();
    let value = |suffix| {
        scrape
            .value(&format!("{name}_{suffix}"), labels)
            .unwrap_or_default()
    };
    (value("count") as u64, (value("sum") * 1e3).round() as u64)
}

fn streams(app: &App, route: &str) -> (u64, u64) {
    let labels = [("method", "GET"), ("route", route), ("code", "200")];
    histogram(app, "http_stream_first_byte_seconds", &labels)
}

#[test]
fn a_stream_route_is_apart_unless_it_fails() {
    let app = App::new();
    let mut wire = app.connect();
    wire.client(0, get("/poll"));
    assert!(!wire.connection.is_endless());
    wire.app(20_000, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    assert!(wire.connection.is_endless());
    wire.app(20_000, "ok");
    assert_eq!(streams(&app, "/poll"), (1, 20_000));
    assert_eq!(app.all_requests(), 0);

    wire.client(30_000, get("/poll"));
    wire.app(30_005, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(app.requests("GET", "/poll", "503"), (1, 5));
    assert_eq!(streams(&app, "/poll"), (1, 20_000));
}

#[test]
fn a_large_response_is_a_stream_that_is_not_endless() {
    let app = App::new();
    let mut wire = app.connect();
    wire.client(0, get("/"));
    wire.app(7, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
    assert_eq!(app.value("http_streams_open"), 1);
    assert!(!wire.connection.is_endless());
    wire.app(60_000, "x".repeat(1_001));
    assert_eq!(app.value("http_streams_open"), 0);
    assert_eq!(streams(&app, "/"), (1, 7));

    // A response to HEAD has no body, and a smaller one is ordinary.
    wire.client(61_000, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    wire.app(61_002, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
    wire.client(62_000, get("/"));
    wire.app(62_003, ok(&"x".repeat(1_000)));
    assert_eq!(app.requests("HEAD", "/", "200"), (1, 2));
    assert_eq!(app.requests("GET", "/", "200"), (1, 3));
    assert_eq!(streams(&app, "/"), (1, 7));
}

#[test]
fn the_first_byte_has_the_route() {
    let app = App::new();
    let mut wire = app.connect();
    wire.client(100, "GET /orders/7 HTTP/1.1\r\n");
    wire.client(103, "Host: a\r\n\r\n");
    wire.app(110, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    wire.app(900, "ok");
    let first_bytes = |route| {
        let labels = [("route", route)];
        histogram(&app, "http_response_first_byte_seconds", &labels)
    };
    assert_eq!(first_bytes("/orders/:id"), (1, 10));
    // Without a response there is no first byte.
    wire.client(1_000, get("/"));
    wire.close(Side::Client, 1_500, Close::Reset);
    assert_eq!(app.requests("GET", "/", "499"), (1, 500));
    assert_eq!(first_bytes("/"), (0, 0));
}

#[test]
fn plain_websockets_have_a_gauge_and_a_route() {
    let app = App::new();
    let open = |route| {
        let scrape = app.scrape();
        scrape.value("http_websockets_open", &[("route", route)])
    };
    let mut first = app.connect();
    first.upgrade(0, "/orders/7");
    let mut second = app.connect();
    second.upgrade(5, "/orders/8");
    assert_eq!(open("/orders/:id"), Some(2.0));
    assert_eq!(app.requests("GET", "/orders/:id", "101").0, 2);
    first.close(Side::App, 10, Close::Finished);
    assert_eq!(open("/orders/:id"), Some(1.0));
    second
        .connection
        .abandon(std::time::Duration::from_millis(20));
    assert_eq!(open("/orders/:id"), Some(0.0));
    // A WebSocket on a path of Engine.IO that turns out to be another.
    let mut third = app.connect();
    third.upgrade(30, "/orders/9?EIO=4&transport=websocket");
    let all = || app.scrape().sum("http_websockets_open", &[]);
    assert_eq!(all(), 0.0);
    third.app(31, b"\x81\x02hi");
    assert_eq!(all(), 1.0);
    drop(third);
    assert_eq!(all(), 0.0);
}

/// A connection that has carried a request which was answered at 0 ms.
fn used(app: &App) -> Wire<'_> {
    let mut wire = app.connect();
    wire.client(0, get("/"));
    wire.app(0, ok("ok"));
    wire
}

#[test]
fn a_request_on_a_connection_that_the_app_closes_for_being_idle_is_unreceived() {
    for (idle, after, close, unreceived) in [
        (5_000, 2, Close::Finished, true),
        (5_000, 10, Close::Reset, true),
        // The app had time to act on it.
        (5_000, 11, Close::Finished, false),
        // The connection was not idle.
        (999, 2, Close::Finished, false),
    ] {
        let app = App::new();
        let mut wire = used(&app);
        wire.client(idle, get("/orders/7"));
        let ended = wire.close(Side::App, idle + after, close);
        let expected = match unreceived {
            true => Ended {
                unreceived: 1,
                ..Ended::default()
            },
            false => Ended {
                unanswered: 1,
                ..Ended::default()
            },
        };
        assert_eq!(ended, expected, "{idle} {after}");
        let errors = app.scrape().sum("http_requests_errors_total", &[]);
        assert_eq!(errors, if unreceived { 0.0 } else { 1.0 });
        let counted = app.value("http_requests_unreceived_total");
        assert_eq!(counted, u64::from(unreceived));
        assert_eq!(app.all_requests(), 1 + u64::from(!unreceived));
        assert_eq!(app.value("vigie_gateway_requests_in_flight"), 0);
    }
    // A new connection was not idle, and the second of two requests was not the one on its way.
    let app = App::new();
    let mut wire = app.connect();
    wire.client(5_000, get("/"));
    assert_eq!(wire.close(Side::App, 5_001, Close::Finished).unanswered, 1);
    let mut wire = used(&app);
    wire.client(5_000, get("/") + &get("/"));
    wire.app(5_001, ok("ok"));
    assert_eq!(wire.close(Side::App, 5_002, Close::Finished).unanswered, 1);
    assert_eq!(app.value("http_requests_unreceived_total"), 0);
}

#[test]
fn a_stall_is_proven_by_requests_on_connections_of_their_own() {
    let stalls = |app: &App| histogram(app, "http_app_stall_seconds", &[]);
    let app = App::new();
    let mut wires: Vec<_> = (0..10).map(|_| app.connect()).collect();
    for (n, wire) in wires.iter_mut().enumerate() {
        wire.client(n as u64 * 200, get("/"));
    }
    for wire in &mut wires {
        wire.app(2_000, ok("ok"));
    }
    assert_eq!(stalls(&app), (1, 2_000));

    // The same requests pipelined on one connection wait for the first of them.
    let app = App::new();
    let mut wire = app.connect();
    for n in 0..10 {
        wire.client(n * 200, get("/"));
    }
    wire.app(2_000, ok("ok").repeat(10));
    assert_eq!(stalls(&app), (0, 0));

    // Polls wait for news, and a WebSocket proves that the event loop runs.
    let app = App::new();
    let mut socket = app.connect();
    socket.upgrade(0, "/");
    let mut wires: Vec<_> = (0..10).map(|_| app.connect()).collect();
    for (n, wire) in wires.iter_mut().enumerate() {
        let at = n as u64 * 200;
        wire.client(at, get(["/", "/poll"][n % 2]));
        socket.app(at + 1, "\u{1}");
    }
    for wire in &mut wires {
        wire.app(2_000, ok("ok"));
    }
    assert_eq!(stalls(&app), (0, 0));
}
