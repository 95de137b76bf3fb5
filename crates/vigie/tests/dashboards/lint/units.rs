//! Units as Grafana names them.

/// Those that a dashboard of Vigie may need: its metrics are in seconds, bytes, shares and counts.
pub(super) const UNITS: &[&str] = &[
    "none",
    "short",
    "percentunit",
    "percent",
    "s",
    "ms",
    "dtdurations",
    "dateTimeAsIso",
    "dateTimeFromNow",
    "bytes",
    "Bps",
    "reqps",
    "ops",
    "cps",
    "cpm",
    "opm",
    "bool_on_off",
    "bool_yes_no",
];
