//! Values of the registry.

use std::collections::BTreeMap;

use vigie_metrics::Registry;

/// The requests, by method, route and code.
pub(crate) fn requests(registry: &Registry) -> BTreeMap<(String, String, String), u64> {
    let mut requests = BTreeMap::new();
    registry.visit(|name, labels, value| {
        if name == "http_request_duration_seconds_count" {
            let label = |name: &str| {
                let found = labels.iter().find(|(label, _)| *label == name);
                found
                    .map(|(_, value)| (*value).to_owned())
                    .unwrap_or_default()
            };
            requests.insert(
                (label("method"), label("route"), label("code")),
                value as u64,
            );
        }
    });
    requests
}

/// The only series of a metric.
pub(crate) fn value(registry: &Registry, metric: &str) -> Option<f64> {
    let mut found = None;
    registry.visit(|name, _, value| {
        if name == metric {
            found = Some(value);
        }
    });
    found
}

/// The series of a metric with these labels.
pub(crate) fn labelled(registry: &Registry, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
    // By way of the page, because it leaves out what is not exposed.
    let page = registry.expose(vigie_metrics::Format::Text);
    let wanted: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    page.lines().find_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, rest) = series.split_once('{').unwrap_or((series, ""));
        let found = name == metric && wanted.iter().all(|label| rest.contains(label.as_str()));
        found.then(|| value.parse().ok()).flatten()
    })
}
