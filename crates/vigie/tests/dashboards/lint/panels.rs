//! Rules about a panel.

use super::Findings;
use super::templates::CHOSEN;
use super::units::UNITS;
use crate::model::{Dashboard, Panel};

/// Every panel for which `problem` returns a text.
fn each(dashboard: &Dashboard, problem: impl Fn(Panel<'_>) -> Option<String>) -> Findings {
    let panels = dashboard.panels().into_iter();
    panels
        .filter_map(|panel| Some((panel.title().to_owned(), problem(panel)?)))
        .collect()
}

/// The panel uses the selected data source.
pub(super) fn datasource(dashboard: &Dashboard) -> Findings {
    each(dashboard, |panel| {
        let uid = panel.0["datasource"]["uid"].as_str().unwrap_or_default();
        (!CHOSEN.contains(&uid)).then(|| format!("data source {uid:?}"))
    })
}

/// The panel has a title and a description.
pub(super) fn title_description(dashboard: &Dashboard) -> Findings {
    each(dashboard, |panel| {
        let empty = |key: &str| panel.0[key].as_str().unwrap_or_default().is_empty();
        (empty("title") || empty("description")).then(|| "no title or no description".to_owned())
    })
}

/// The values have a unit of Grafana, unless they are mapped to text.
pub(super) fn units(dashboard: &Dashboard) -> Findings {
    each(dashboard, |panel| {
        let defaults = &panel.0["fieldConfig"]["defaults"];
        let unit = defaults["unit"].as_str().unwrap_or_default();
        let good = defaults["mappings"].is_array() || UNITS.contains(&unit);
        (!good).then(|| format!("unit {unit:?}"))
    })
}

/// The panel has a query.
pub(super) fn no_targets(dashboard: &Dashboard) -> Findings {
    each(dashboard, |panel| {
        panel
            .targets()
            .is_empty()
            .then(|| "asks nothing".to_owned())
    })
}
