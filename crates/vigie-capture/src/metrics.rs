//! The metrics of the passive source, besides those of the traffic.

use vigie_metrics::{Counter, Desc, Gauge, descriptions};

descriptions! {
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
