//! The metrics of HTTP and Engine.IO traffic.

use vigie_metrics::{Buckets, Counter, Desc, Gauge, Histogram, buckets, descriptions};

/// Request latency bounds. They include 1 s, the threshold of the latency alert.
pub static REQUEST_BUCKETS: Buckets = buckets![
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0
];

/// Bounds of the time to the first byte. They include 1 s, the threshold of the latency alert.
static FIRST_BYTE_BUCKETS: Buckets = buckets![
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0
];

/// Bounds of stalls; shorter ones than the first are not recognised.
static STALL_BUCKETS: Buckets = buckets![0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

descriptions! {
    /// Required by the specification: requests by method, route and code.
    HTTP_REQUEST_DURATION: Histogram, 3 = Desc::histogram(
        "http_request_duration_seconds",
        "Time from reading the head of a request to sending the last byte of its response, measured in front of the app, without Engine.IO traffic and streams. Code 499: the client disconnected.",
        &["method", "route", "code"],
        &REQUEST_BUCKETS,
    );

    /// The time to the first byte.
    HTTP_RESPONSE_FIRST_BYTE: Histogram, 1 = Desc::histogram(
        "http_response_first_byte_seconds",
        "Time from the first byte of a request to the head of its response, by route, without Engine.IO traffic and streams.",
        &["route"],
        &FIRST_BYTE_BUCKETS,
    );

    /// Periods in which the app sent nothing while requests arrived.
    HTTP_APP_STALL: Histogram, 0 = Desc::histogram(
        "http_app_stall_seconds",
        "Stalls of the app: it sent nothing on any connection while five or more requests arrived, and then answered them together. Its event loop was blocked, or all of them waited for the same thing.",
        &[],
        &STALL_BUCKETS,
    );

    /// Requests that the app never received.
    HTTP_REQUESTS_UNRECEIVED: Counter, 0 = Desc::counter(
        "http_requests_unreceived_total",
        "Requests in no other metric because the app closed their idle connection at the moment when they were sent: only the client knows whether it can send them again.",
        &[],
    );

    /// Streams by method, route and code.
    HTTP_STREAM_FIRST_BYTE: Histogram, 3 = Desc::histogram(
        "http_stream_first_byte_seconds",
        "Time from reading the head of a request to the head of its response, for event streams and other responses whose duration depends on the client (gateway.streams, gateway.stream_routes, gateway.stream_bytes). They are not in http_request_duration_seconds.",
        &["method", "route", "code"],
        &REQUEST_BUCKETS,
    );

    /// Open streams.
    HTTP_STREAMS_OPEN: Gauge, 0 = Desc::gauge(
        "http_streams_open",
        "Open event streams and other responses whose duration depends on the client.",
        &[],
    );

    /// Open WebSockets.
    HTTP_WEBSOCKETS_OPEN: Gauge, 1 = Desc::gauge(
        "http_websockets_open",
        "Open WebSockets and other connections that were upgraded, by route, without Engine.IO.",
        &["route"],
    );

    /// Required by the specification: requests that ended in an error.
    HTTP_REQUESTS_ERRORS: Counter, 3 = Desc::counter(
        "http_requests_errors_total",
        "Requests answered with a code of 500 or above (of 400 or above when gateway.count_client_errors is set).",
        &["method", "route", "code"],
    );

    /// Required by the specification: Socket.IO connections.
    SOCKET_ACTIVE_CONNECTIONS: Gauge, 0 = Desc::gauge(
        "socket_active_connections",
        "Open Engine.IO sessions; equals the server's io.engine.clientsCount.",
        &[],
    );

    /// Sessions by transport.
    SOCKETIO_CONNECTIONS: Gauge, 1 = Desc::gauge(
        "socketio_connections",
        "Open Engine.IO sessions, by transport (polling, websocket).",
        &["transport"],
    ).max_series(2);

    /// Sessions first seen after they were opened.
    SOCKETIO_ADOPTED: Counter, 0 = Desc::counter(
        "socketio_sessions_adopted_total",
        "Engine.IO sessions that were open when they were first seen: opened before Vigie started, or on a way that it does not see.",
        &[],
    );

    /// Sessions that were not tracked.
    SOCKETIO_REFUSED: Counter, 0 = Desc::counter(
        "socketio_sessions_untracked_total",
        "Engine.IO sessions not counted because the session table was full.",
        &[],
    );

    /// Sessions whose state became unknown.
    SOCKETIO_FORGOTTEN: Counter, 0 = Desc::counter(
        "socketio_sessions_forgotten_total",
        "Engine.IO sessions no longer counted because bytes of their WebSocket were missed, so that their state is unknown.",
        &[],
    );

    /// Requests without a known outcome.
    REQUESTS_ABANDONED: Counter, 0 = Desc::counter(
        "vigie_requests_abandoned_total",
        "Requests that are in no other metric because their outcome is unknown: bytes of their connection were missed.",
        &[],
    );

    /// Requests in progress.
    REQUESTS_IN_FLIGHT: Gauge, 0 = Desc::gauge(
        "vigie_gateway_requests_in_flight",
        "Requests whose response has not been sent completely, without Engine.IO traffic and streams.",
        &[],
    );

    /// Requests outside the learned routes.
    ROUTE_OVERFLOW: Counter, 1 = Desc::counter(
        "vigie_gateway_route_overflow_total",
        "Requests without their own route, by the value they were folded into: <other> (not learned yet, or all places are taken), <unmatched> (404 and 405), _OTHER (a method outside the known set), code (a status outside 100 to 599).",
        &["folded_into"],
    ).max_series(4);

    /// The number of routes.
    ROUTES: Gauge, 0 = Desc::gauge(
        "vigie_gateway_routes",
        "Routes that currently have a value of the route label: configured, learned and failing ones.",
        &[],
    );

    /// Routes that lost their label.
    ROUTES_RETIRED: Counter, 0 = Desc::counter(
        "vigie_gateway_routes_retired_total",
        "Learned or failing routes that were no longer requested and whose label and series were removed to make room for another route.",
        &[],
    );
}
