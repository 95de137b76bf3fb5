//! The overview matches the specification, panel by panel.

use crate::model::Dashboard;

/// A row: titles in French and English, kind, expression. Copied from the specification, "Dashboard Grafana de base";
/// it gives the second panel of BullMQ no title, and allows a table or stacked bars "sur `queue_jobs_total` groupé par
/// `state`".
type Row = (
    &'static str,
    &'static str,
    [(&'static str, &'static str, &'static str, &'static str); 2],
);

const ROWS: [Row; 4] = [
    (
        "Vue API",
        "API",
        [
            (
                "HTTP p95",
                "HTTP p95",
                "timeseries",
                "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le, route))",
            ),
            (
                "Taux d’erreurs",
                "Error rate",
                "timeseries",
                "sum(rate(http_requests_errors_total[5m])) by (route)",
            ),
        ],
    ),
    (
        "Queues BullMQ",
        "BullMQ queues",
        [
            (
                "Jobs par état",
                "Jobs by state",
                "table",
                "queue_jobs_total",
            ),
            (
                "Jobs en erreur",
                "Failed jobs",
                "timeseries",
                r#"sum(rate(queue_jobs_total{state="failed"}[5m])) by (queue)"#,
            ),
        ],
    ),
    (
        "Tick de production",
        "Production tick",
        [
            (
                "Durée moyenne",
                "Mean duration",
                "timeseries",
                "rate(production_tick_duration_seconds_sum[5m]) / rate(production_tick_duration_seconds_count[5m])",
            ),
            (
                "p99 tick",
                "Tick p99",
                "timeseries",
                "histogram_quantile(0.99, sum(rate(production_tick_duration_seconds_bucket[5m])) by (le))",
            ),
        ],
    ),
    (
        "Sockets",
        "Sockets",
        [
            (
                "Connexions actives",
                "Active connections",
                "stat",
                "socket_active_connections",
            ),
            (
                "Variations",
                "Variations",
                "timeseries",
                "max_over_time(socket_active_connections[1h])",
            ),
        ],
    ),
];

#[test]
fn the_overview_is_the_specifications() {
    for (file, french) in [("vigie.fr.json", true), ("vigie.json", false)] {
        let dashboard = Dashboard::open(file);
        let found: Vec<_> = dashboard
            .panels_and_rows()
            .into_iter()
            .map(|panel| (panel.title(), panel.kind(), panel.expressions()))
            .collect();
        let mut expected = Vec::new();
        for (in_french, in_english, panels) in ROWS {
            let title = if french { in_french } else { in_english };
            expected.push((title, "row", vec![]));
            for (in_french, in_english, kind, expression) in panels {
                let title = if french { in_french } else { in_english };
                expected.push((title, kind, vec![expression]));
            }
        }
        assert_eq!(found, expected, "{file}");
    }
}

/// The column of the table is the state, so values are grouped by it as specified.
#[test]
fn jobs_are_grouped_by_state() {
    let dashboard = Dashboard::open("vigie.json");
    let panels = dashboard.panels();
    let table = panels.iter().find(|panel| panel.kind() == "table").unwrap();
    let matrix = &table.0["transformations"][0];
    assert_eq!(matrix["id"], "groupingToMatrix");
    assert_eq!(matrix["options"]["columnField"], "state");
    assert_eq!(matrix["options"]["rowField"], "queue");
}

/// The thresholds of the specification's "Alertes essentielles" are drawn in the panels.
#[test]
fn thresholds_are_drawn_where_the_alerts_are() {
    let drawn = |title: &str| {
        let dashboard = Dashboard::open("vigie.json");
        let panels = dashboard.panels();
        let panel = panels.iter().find(|panel| panel.title() == title).unwrap();
        let config = &panel.0["fieldConfig"];
        let steps = match panel.kind() {
            "table" => {
                let column = &config["overrides"][0];
                assert_eq!(column["matcher"]["options"], "waiting");
                column["properties"][0]["value"]["steps"].clone()
            }
            kind => {
                if kind == "timeseries" {
                    let style = &config["defaults"]["custom"]["thresholdsStyle"]["mode"];
                    assert_eq!(style, "dashed", "{title}");
                }
                config["defaults"]["thresholds"]["steps"].clone()
            }
        };
        let steps = steps.as_array().unwrap().iter();
        steps
            .filter_map(|step| step["value"].as_f64())
            .collect::<Vec<_>>()
    };
    assert_eq!(drawn("HTTP p95"), [1.0]);
    assert_eq!(drawn("Error rate"), [5.0, 20.0]);
    assert_eq!(drawn("Jobs by state"), [500.0]);
    assert_eq!(drawn("Failed jobs"), [5.0]);
    assert_eq!(drawn("Mean duration"), [2.0]);
    assert_eq!(drawn("Tick p99"), [2.0]);
    assert_eq!(drawn("Active connections"), [1.0, 5000.0]);
    assert_eq!(drawn("Variations"), [1.0, 5000.0]);
}

/// The alert applies to the sum over all routes, which is the height of the stack.
#[test]
fn errors_are_stacked() {
    let dashboard = Dashboard::open("vigie.json");
    let panels = dashboard.panels();
    let panel = panels
        .iter()
        .find(|panel| panel.title() == "Error rate")
        .unwrap();
    assert_eq!(
        panel.0["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"],
        "normal"
    );
}
