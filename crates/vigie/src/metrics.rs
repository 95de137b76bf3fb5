//! The metrics of the process, its build, its history and its election.

use vigie_metrics::{Counter, Desc, Gauge, descriptions};

descriptions! {
    /// Which replica shows the queues.
    QUEUES_EXPORTER: Gauge, 0 = Desc::gauge(
        "vigie_queues_exporter",
        "1 when this Vigie shows what it knows of the queues, 0 when another one does (queues.exporter). Absent without Redis.",
        &[],
    );

    /// Requests that the admin port refused.
    ADMIN_REQUESTS_REFUSED: Counter, 1 = Desc::counter(
        "vigie_admin_requests_refused_total",
        "Requests refused by the admin port, by reason: busy (503: too many at a time), and without credentials origin (403: sent by a web page of another site) and host (403: for a host that is not in admin.hosts). Probes are always answered.",
        &["reason"],
    ).max_series(4);

    /// Connections that the admin port closed.
    ADMIN_CONNECTIONS_CLOSED: Counter, 1 = Desc::counter(
        "vigie_admin_connections_closed_total",
        "Connections closed by the admin port, by reason: evicted (idle longest when too many were open), slow_head (no whole request within 5 s), slow_reader (an answer not read for 15 s).",
        &["reason"],
    ).max_series(4);

    /// Series of the history.
    HISTORY_SERIES: Gauge, 0 = Desc::gauge(
        "vigie_history_series",
        "Series that have samples in the history.",
        &[],
    );

    /// Memory of the history.
    HISTORY_BYTES: Gauge, 0 = Desc::gauge(
        "vigie_history_bytes",
        "Memory that the history takes, about; past history.max_bytes its oldest hours go.",
        &[],
    );

    /// Where the history begins.
    HISTORY_OLDEST: Gauge, 0 = Desc::gauge(
        "vigie_history_oldest_timestamp_seconds",
        "Unix time of the oldest sample in the history, or a little before it.",
        &[],
    );

    /// Samples that the history took.
    HISTORY_SAMPLES: Gauge, 0 = Desc::copied_counter(
        "vigie_history_samples_total",
        "Samples that the history took.",
        &[],
    );

    /// Samples that it did not take.
    HISTORY_REFUSED: Gauge, 1 = Desc::copied_counter(
        "vigie_history_samples_refused_total",
        "Samples that the history did not take, by reason: out_of_order and duplicate (the series has a later one, or one of this time), too_old (its time is sealed), series_limit (there are history.max_series).",
        &["reason"],
    ).max_series(4);

    /// Whether the history outlives the process.
    HISTORY_DISK_UP: Gauge, 0 = Desc::gauge(
        "vigie_history_disk_up",
        "1 when the history is written to disk; 0 when it is kept in memory alone because history.path cannot be used or written, or has taken longer than 5 s to read. Absent without history.path.",
        &[],
    );

    /// Version.
    BUILD_INFO: Gauge, 2 = Desc::gauge(
        "vigie_build_info",
        "Always 1; the labels tell the version of Vigie and of the compiler that built it.",
        &["version", "rustc"],
    ).max_series(1);

    /// CPU time.
    PROCESS_CPU: Gauge, 0 = Desc::copied_counter(
        "process_cpu_seconds_total",
        "CPU time Vigie used, user and system.",
        &[],
    );

    /// Memory.
    PROCESS_RESIDENT_MEMORY: Gauge, 0 = Desc::gauge(
        "process_resident_memory_bytes",
        "Memory of Vigie that is resident.",
        &[],
    );

    /// Address space.
    PROCESS_VIRTUAL_MEMORY: Gauge, 0 = Desc::gauge(
        "process_virtual_memory_bytes",
        "Address space of Vigie.",
        &[],
    );

    /// File descriptors.
    PROCESS_OPEN_FDS: Gauge, 0 = Desc::gauge(
        "process_open_fds",
        "File descriptors Vigie has open.",
        &[],
    );

    /// The limit of file descriptors.
    PROCESS_MAX_FDS: Gauge, 0 = Desc::gauge(
        "process_max_fds",
        "File descriptors Vigie may have open.",
        &[],
    );

    /// Threads.
    PROCESS_THREADS: Gauge, 0 = Desc::gauge(
        "process_threads",
        "Threads of Vigie.",
        &[],
    );

    /// Start.
    PROCESS_START_TIME: Gauge, 0 = Desc::gauge(
        "process_start_time_seconds",
        "Unix time at which Vigie started.",
        &[],
    );
}
