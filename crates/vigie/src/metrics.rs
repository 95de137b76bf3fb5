//! The metrics of the process, its build, its history and its election.

use vigie_metrics::{Counter, Desc, Gauge, descriptions};

descriptions! {
    /// Whether this replica exposes the queues.
    QUEUES_EXPORTER: Gauge, 0 = Desc::gauge(
        "vigie_queues_exporter",
        "1 if this replica exposes the metrics of queues, 0 if another one does (queues.exporter). Absent without Redis.",
        &[],
    );

    /// Requests that the admin port refused.
    ADMIN_REQUESTS_REFUSED: Counter, 1 = Desc::counter(
        "vigie_admin_requests_refused_total",
        "Requests refused by the admin port, by reason: busy (503: too many concurrent requests), login (401 and 429: wrong credentials in the form of the web page, or too many), and without credentials origin (403: sent by a web page of another site) and host (403: for a host that is not in admin.hosts). Probes are always answered.",
        &["reason"],
    ).max_series(4);

    /// Connections that the admin port closed.
    ADMIN_CONNECTIONS_CLOSED: Counter, 1 = Desc::counter(
        "vigie_admin_connections_closed_total",
        "Connections closed by the admin port, by reason: evicted (the longest idle one, when too many were open), slow_head (no whole request within 5 s), slow_reader (an answer not read for 15 s).",
        &["reason"],
    ).max_series(4);

    /// Dashboards of the user that cannot be used.
    PAGE_DASHBOARDS_UNUSABLE: Gauge, 0 = Desc::gauge(
        "vigie_page_dashboards_unusable",
        "Files in page.dashboards that the web page cannot show; the page and the log name them with the reasons. Absent without page.dashboards.",
        &[],
    );

    /// Series of the history.
    HISTORY_SERIES: Gauge, 0 = Desc::gauge(
        "vigie_history_series",
        "Series that have samples in the history.",
        &[],
    );

    /// Memory of the history.
    HISTORY_BYTES: Gauge, 0 = Desc::gauge(
        "vigie_history_bytes",
        "Approximate memory used by the history, in bytes; above history.max_bytes the oldest hours are dropped.",
        &[],
    );

    /// The start of the history.
    HISTORY_OLDEST: Gauge, 0 = Desc::gauge(
        "vigie_history_oldest_timestamp_seconds",
        "Unix time of the oldest sample in the history, or slightly earlier.",
        &[],
    );

    /// Samples added to the history.
    HISTORY_SAMPLES: Gauge, 0 = Desc::copied_counter(
        "vigie_history_samples_total",
        "Samples added to the history.",
        &[],
    );

    /// Samples refused by the history.
    HISTORY_REFUSED: Gauge, 1 = Desc::copied_counter(
        "vigie_history_samples_refused_total",
        "Samples that the history refused, by reason: out_of_order and duplicate (the series has a later sample, or one with the same timestamp), too_old (its hour is already sealed), series_limit (history.max_series is reached).",
        &["reason"],
    ).max_series(4);

    /// Whether the history is written to disk.
    HISTORY_DISK_UP: Gauge, 0 = Desc::gauge(
        "vigie_history_disk_up",
        "1 when the history is written to disk; 0 when it is kept only in memory because history.path cannot be used or written, or has taken longer than 5 s to read. Absent without history.path.",
        &[],
    );

    /// Version.
    BUILD_INFO: Gauge, 2 = Desc::gauge(
        "vigie_build_info",
        "Always 1; the labels are the version of Vigie and of the compiler that built it.",
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
        "Resident memory of Vigie.",
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
        "Open file descriptors of Vigie.",
        &[],
    );

    /// The limit of file descriptors.
    PROCESS_MAX_FDS: Gauge, 0 = Desc::gauge(
        "process_max_fds",
        "Maximum number of open file descriptors of Vigie.",
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
