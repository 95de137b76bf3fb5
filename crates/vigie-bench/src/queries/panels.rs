//! The panels of the dashboard `vigie-details`, as the page requests them.

use anyhow::Context;
use serde_json::Value;

use super::data::EVERY;
use super::request::{Request, Times};

const DASHBOARD: &str = include_str!("../../../../dashboards/vigie-details.json");
/// The pixels, and so the most points, of a column of Grafana's grid on a page of 1,200 pixels.
const COLUMN: i64 = 50;
/// As in the page.
const MOST_POINTS: i64 = 500;
const STEPS: [i64; 12] = [
    15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200,
];

/// The requests of all panels, over a number of hours.
pub(super) fn requests(hours: i64) -> anyhow::Result<Vec<Request>> {
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let mut requests = Vec::new();
    for panel in panels(&dashboard) {
        let width = panel["gridPos"]["w"].as_i64().context("a panel's width")?;
        let step = step(hours * 3_600, width);
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().context("a target's query")?;
            let is_table = panel["type"] == "table";
            let times = match target["instant"] == true {
                true => Times::End,
                false => Times::Range {
                    count: hours * 3_600 / step + 1,
                    step,
                },
            };
            let limit = if is_table { "1000" } else { "500" };
            requests.push(Request::query(&inserted(expression, step), times).with("limit", limit));
        }
    }
    Ok(requests)
}

/// The panels, also those in rows.
fn panels(dashboard: &Value) -> Vec<&Value> {
    let all = dashboard["panels"].as_array().into_iter().flatten();
    let each = all.flat_map(|panel| match panel["type"] == "row" {
        true => panel["panels"].as_array().into_iter().flatten().collect(),
        false => vec![panel],
    });
    each.collect()
}

/// The step of a panel of this width in the grid.
fn step(seconds: i64, width: i64) -> i64 {
    let points = (width * COLUMN / 100 * 100).clamp(100, MOST_POINTS);
    let enough = STEPS.into_iter().find(|step| step * points >= seconds);
    enough.unwrap_or(seconds / points)
}

/// The expression with the variables' values, all of which are selected, and `$__rate_interval`.
fn inserted(expression: &str, step: i64) -> String {
    let interval = (step + EVERY).max(4 * EVERY);
    let expression = expression.replace("$__rate_interval", &format!("{interval}s"));
    let names = ["$job", "$instance", "$queue"];
    names.into_iter().fold(expression, |expression, name| {
        expression.replace(name, ".+")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;
    use crate::queries::data::Backend;

    #[test]
    fn the_steps_are_those_of_the_page() {
        assert_eq!(step(3 * 3_600, 12), 30);
        assert_eq!(step(3 * 3_600, 6), 60);
        assert_eq!(step(24 * 3_600, 12), 300);
        assert_eq!(step(24 * 3_600, 8), 300);
    }

    /// All selectors of the dashboard have braces, and all metrics have series.
    #[test]
    fn every_panel_has_data() {
        let backend = Backend::new();
        let known: BTreeSet<_> = backend.labels.iter().map(|labels| &labels[0].1).collect();
        let requests = requests(3).unwrap();
        assert!(requests.len() > 60, "{}", requests.len());
        for request in requests {
            let expression = request.expression();
            assert!(!expression.contains('$'), "{expression}");
            for (at, _) in expression.match_indices('{') {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let before = &expression[..at];
                let start = before.rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
                let name = before[start..].to_owned();
                assert!(known.contains(&name), "no series of {name}");
            }
        }
    }
}
