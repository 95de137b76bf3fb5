//! A dashboard with many charts.

use serde_json::{Value, json};

/// The charts.
pub(super) const CHARTS: usize = 60;
/// The points of each in the range that the browser shows: one a minute.
pub(super) const POINTS: usize = 500;

/// Three charts side by side, each of one series.
pub(super) fn json() -> Value {
    let panels = (0..CHARTS).map(|at| {
        let state = ["waiting", "active", "delayed"][at % 3];
        let expr = format!(
            "max(queue_jobs_total{{queue=\"queue-{}\", state=\"{state}\"}})",
            at / 3
        );
        json!({
            "id": at + 1,
            "type": "timeseries",
            "title": format!("Chart {at}"),
            "gridPos": {"x": 8 * (at % 3), "y": 6 * (at / 3), "w": 8, "h": 6},
            "targets": [{"refId": "A", "expr": expr, "interval": "1m"}],
            "fieldConfig": {"defaults": {"custom": {"fillOpacity": 10}}, "overrides": []},
            "options": {},
        })
    });
    json!({"title": "Many charts", "panels": Vec::from_iter(panels)})
}
