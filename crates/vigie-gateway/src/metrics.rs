//! The metrics of HTTP and Engine.IO traffic.

use vigie_metrics::{Buckets, Counter, Desc, Gauge, Histogram, buckets, descriptions};

/// Request latency bounds. They include 1 s, the threshold of the latency alert.
pub static REQUEST_BUCKETS: Buckets = buckets![
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0
];

descriptions! {
    /// Required by the specification: requests by method, route and code.
    HTTP_REQUEST_DURATION: Histogram, 3 = Desc::histogram(
        "http_request_duration_seconds",
        "Time from reading the head of a request to sending the last byte of its response, measured in front of the app, without Engine.IO traffic. Code 499: the client disconnected.",
        &["method", "route", "code"],
        &REQUEST_BUCKETS,
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
        "Engine.IO sessions open through the gateway; equals the server's io.engine.clientsCount.",
        &[],
    );

    /// Sessions by transport.
    SOCKETIO_CONNECTIONS: Gauge, 1 = Desc::gauge(
        "socketio_connections",
        "Engine.IO sessions open through the gateway, by transport (polling, websocket).",
        &["transport"],
    ).max_series(2);

    /// Sessions first seen after they were opened.
    SOCKETIO_ADOPTED: Counter, 0 = Desc::counter(
        "socketio_sessions_adopted_total",
        "Engine.IO sessions that were open when the gateway first saw them: opened before it started, or not through it.",
        &[],
    );

    /// Sessions that were not tracked.
    SOCKETIO_REFUSED: Counter, 0 = Desc::counter(
        "socketio_sessions_untracked_total",
        "Engine.IO sessions not counted because the session table was full.",
        &[],
    );

    /// Requests in progress.
    GATEWAY_IN_FLIGHT: Gauge, 0 = Desc::gauge(
        "vigie_gateway_requests_in_flight",
        "Requests whose response has not been sent completely, without Engine.IO traffic.",
        &[],
    );

    /// Client connections.
    GATEWAY_CONNECTIONS: Gauge, 0 = Desc::gauge(
        "vigie_gateway_connections",
        "Open client connections of the gateway, including upgraded ones.",
        &[],
    );

    /// Failures between the gateway and the app or the client.
    GATEWAY_ERRORS: Counter, 1 = Desc::counter(
        "vigie_gateway_errors_total",
        "Requests that failed between the gateway and the app or the client, by reason. Responses with code 502 or 504 for them come from the gateway, not from the app.",
        &["reason"],
    ).max_series(32);

    /// Requests sent again after the app closed an idle connection.
    GATEWAY_RESENDS: Counter, 0 = Desc::counter(
        "vigie_gateway_resends_total",
        "Requests sent on a new connection because the app had closed the idle one before any of the request was written.",
        &[],
    );

    /// Requests outside the learned routes.
    GATEWAY_ROUTE_OVERFLOW: Counter, 1 = Desc::counter(
        "vigie_gateway_route_overflow_total",
        "Requests without their own route, by the value they were folded into: <other> (not learned yet, or all places are taken), <unmatched> (404 and 405), _OTHER (a method outside the known set), code (a status outside 100 to 599).",
        &["folded_into"],
    ).max_series(4);

    /// The number of routes.
    GATEWAY_ROUTES: Gauge, 0 = Desc::gauge(
        "vigie_gateway_routes",
        "Routes that currently have a value of the route label: configured, learned and failing ones.",
        &[],
    );

    /// Routes that lost their label.
    GATEWAY_ROUTES_RETIRED: Counter, 0 = Desc::counter(
        "vigie_gateway_routes_retired_total",
        "Learned or failing routes that were no longer requested and whose label and series were removed to make room for another route.",
        &[],
    );
}
