//! The metrics of the passive source, besides those of the traffic.

use vigie_metrics::{Buckets, Counter, Desc, Gauge, Histogram, buckets, descriptions};

/// Bounds of the time to the first byte. They include 1 s, the threshold of the latency alert.
static FIRST_BYTE_BUCKETS: Buckets = buckets![
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0
];

descriptions! {
    /// The time to the first byte.
    FIRST_BYTE: Histogram, 0 = Desc::histogram(
        "http_response_first_byte_seconds",
        "Time from the first byte of a request to the first byte of its response, by the times of their packets.",
        &[],
        &FIRST_BYTE_BUCKETS,
    );

    /// Payload bytes.
    BYTES: Counter, 1 = Desc::counter(
        "tcp_payload_bytes_total",
        "Bytes sent on the captured connections, without headers and repetitions, by who sent them (client, app).",
        &["from"],
    ).max_series(2);

    /// Refused connections.
    REFUSED: Counter, 0 = Desc::counter(
        "tcp_connections_refused_total",
        "Connections that the app's side refused by a reset: nothing listens on the port.",
        &[],
    );

    /// Reset connections.
    RESET: Counter, 1 = Desc::counter(
        "tcp_connections_reset_total",
        "Open connections that were reset, by who did it (client, app).",
        &["by"],
    ).max_series(2);

    /// Retransmissions.
    RETRANSMITTED: Counter, 1 = Desc::counter(
        "tcp_segments_retransmitted_total",
        "Segments whose bytes had all been sent before, by who sent them (client, app).",
        &["from"],
    ).max_series(2);

    /// Open connections.
    CONNECTIONS: Gauge, 1 = Desc::gauge(
        "vigie_capture_connections",
        "Captured connections, by protocol: http1; websocket (older than the capture, so that its session is unknown); tls and http2, which cannot be read; other; unknown (nothing readable was sent yet).",
        &["protocol"],
    ).max_series(6);

    /// Connections beyond the bound of the table.
    UNTRACKED: Counter, 0 = Desc::counter(
        "vigie_capture_segments_untracked_total",
        "Segments of connections that were not followed because the table was full.",
        &[],
    );

    /// Captured packets.
    PACKETS: Counter, 0 = Desc::counter(
        "vigie_capture_packets_total",
        "Packets of the app's port that were captured.",
        &[],
    );

    /// Dropped packets.
    DROPPED: Counter, 0 = Desc::counter(
        "vigie_capture_packets_dropped_total",
        "Packets of the app's port that were not captured because the ring was full.",
        &[],
    );

    /// Missing bytes.
    UNSEEN: Counter, 1 = Desc::counter(
        "vigie_capture_unseen_bytes_total",
        "Bytes that were sent and not captured, by who sent them (client, app), from the sequence numbers of TCP.",
        &["from"],
    ).max_series(2);

    /// The estimated share of missed requests.
    LOSS: Gauge, 0 = Desc::gauge(
        "vigie_capture_loss_ratio",
        "Estimated share of the requests of the last minute that are in no metric: the larger one of the dropped packets and the requests whose outcome is unknown.",
        &[],
    );
}
