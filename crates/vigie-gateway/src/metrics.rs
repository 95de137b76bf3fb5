//! The metrics of the gateway itself. Those of the traffic are described in `vigie-traffic`.

use vigie_metrics::{Counter, Desc, Gauge, descriptions};

descriptions! {
    /// Client connections.
    GATEWAY_CONNECTIONS: Gauge, 0 = Desc::gauge(
        "vigie_gateway_connections",
        "Open client connections of the gateway, including upgraded ones.",
        &[],
    );

    /// Failures between the gateway and the app or the client.
    GATEWAY_ERRORS: Counter, 1 = Desc::counter(
        "vigie_gateway_errors_total",
        "Requests that failed between the gateway and the app or the client, or that the gateway refused, by reason. Their responses come from the gateway, not from the app.",
        &["reason"],
    ).max_series(32);
}
