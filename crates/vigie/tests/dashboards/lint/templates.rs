//! Rules about the dashboard and its variables.

use serde_json::Value;

use super::Findings;
use crate::model::Dashboard;
use crate::query;

/// References to the selected data source in variables and panels.
pub(super) const CHOSEN: [&str; 2] = ["$datasource", "${datasource}"];

fn find<'a>(dashboard: &'a Dashboard, name: &str) -> Option<&'a Value> {
    dashboard
        .variables()
        .iter()
        .find(|variable| variable["name"] == name)
}

fn of_type<'a>(dashboard: &'a Dashboard, kind: &str) -> impl Iterator<Item = &'a Value> {
    dashboard
        .variables()
        .iter()
        .filter(move |variable| variable["type"] == kind)
}

/// There is one variable for the data source, with the usual name and label.
pub(super) fn datasource(dashboard: &Dashboard) -> Findings {
    let variables: Vec<_> = of_type(dashboard, "datasource").collect();
    let [variable] = variables[..] else {
        return vec![(
            String::new(),
            format!("{} data source variables", variables.len()),
        )];
    };
    [
        ("name", "datasource"),
        ("label", "Data source"),
        ("query", "prometheus"),
    ]
    .into_iter()
    .filter(|(key, expected)| variable[*key] != **expected)
    .map(|(key, expected)| {
        (
            String::new(),
            format!("{key} of the data source is not {expected:?}"),
        )
    })
    .collect()
}

pub(super) fn job(dashboard: &Dashboard) -> Findings {
    chosen_by(dashboard, "job", "Job")
}

pub(super) fn instance(dashboard: &Dashboard) -> Findings {
    chosen_by(dashboard, "instance", "Instance")
}

/// There is a variable of that name: a query of the selected data source, with multiple selection.
fn chosen_by(dashboard: &Dashboard, name: &str, label: &str) -> Findings {
    let Some(variable) = find(dashboard, name) else {
        return vec![(String::new(), format!("no variable {name:?}"))];
    };
    let chosen = variable["datasource"]["uid"].as_str();
    [
        (
            "datasource",
            chosen.is_some_and(|uid| CHOSEN.contains(&uid)),
        ),
        ("type", variable["type"] == "query"),
        ("label", variable["label"] == label),
        ("multi", variable["multi"] == true),
        ("allValue", variable["allValue"] == ".+"),
    ]
    .into_iter()
    .filter(|(_, good)| !good)
    .map(|(key, _)| (name.to_owned(), format!("{key} is {}", variable[key])))
    .collect()
}

/// A variable queries the values of a label, and its selector is PromQL.
pub(super) fn label_promql(dashboard: &Dashboard) -> Findings {
    of_type(dashboard, "query")
        .filter_map(|variable| {
            let problem = match query::label_values(variable) {
                None => format!("{} is not label_values(selector, label)", variable["query"]),
                Some((selector, _)) => query::parse(&selector).err()?,
            };
            Some((
                variable["name"].as_str().unwrap_or_default().to_owned(),
                problem,
            ))
        })
        .collect()
}

/// The values of a variable are reloaded when the time range changes.
pub(super) fn on_time_change_reload(dashboard: &Dashboard) -> Findings {
    of_type(dashboard, "query")
        .filter(|variable| variable["refresh"] != 2)
        .map(|variable| {
            (
                variable["name"].to_string(),
                format!("refresh is {}, not 2", variable["refresh"]),
            )
        })
        .collect()
}

/// A provisioned dashboard is not editable: edits in place would be lost at the next start.
pub(super) fn uneditable(dashboard: &Dashboard) -> Findings {
    match dashboard.json["editable"] == false {
        true => Vec::new(),
        false => vec![(String::new(), "editable is not false".to_owned())],
    }
}
