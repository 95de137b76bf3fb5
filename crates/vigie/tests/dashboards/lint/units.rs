//! Units, by their names in Grafana.

/// The units that Vigie's dashboards may use: its metrics are in seconds, bytes, ratios and counts.
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
