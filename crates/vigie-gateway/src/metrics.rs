//! The metrics of the gateway itself. Those of the traffic are described in `vigie-traffic`.

use vigie_metrics::{Counter, Desc, Gauge, descriptions};

/// The most addresses of the app.
pub const APPS: usize = 16;

descriptions! {
    /// Client connections.
    GATEWAY_CONNECTIONS: Gauge, 0 = Desc::gauge(
        "vigie_gateway_connections",
        "Open client connections of the gateway, including upgraded ones.",
        &[],
    );

    /// Addresses of the app.
    GATEWAY_APP_UP: Gauge, 1 = Desc::gauge(
        "vigie_gateway_app_up",
        "1 when an address of the app accepted the last connection of the gateway, 0 when it did not. Absent before the first one.",
        &["app"],
    ).max_series(APPS);

    /// Connections to the addresses of the app.
    GATEWAY_APP_CONNECTIONS: Gauge, 1 = Desc::gauge(
        "vigie_gateway_app_connections",
        "Open connections of the gateway to an address of the app.",
        &["app"],
    ).max_series(APPS);

    /// Failed connections to the addresses of the app.
    GATEWAY_APP_CONNECT_FAILURES: Counter, 1 = Desc::counter(
        "vigie_gateway_app_connect_failures_total",
        "Connections that an address of the app did not accept. The client got another address, or a 502 or 504.",
        &["app"],
    ).max_series(APPS);

    /// Failures to accept.
    GATEWAY_ACCEPT_FAILURES: Counter, 0 = Desc::counter(
        "vigie_gateway_accept_failures_total",
        "Failures to accept client connections, mostly for lack of file descriptors. The connections wait until some are free.",
        &[],
    );

    /// Failures between the gateway and the app or the client.
    GATEWAY_ERRORS: Counter, 1 = Desc::counter(
        "vigie_gateway_errors_total",
        "Requests that failed between the gateway and the app or the client, or that the gateway refused, by reason. Their responses come from the gateway, not from the app.",
        &["reason"],
    ).max_series(32);
}
