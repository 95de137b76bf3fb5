//! The grid, the identifiers, and the links between the files.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Dashboard;

/// Grafana's grid.
const WIDTH: u64 = 24;

#[test]
fn panels_fill_the_grid_without_overlap() {
    for dashboard in Dashboard::all() {
        let mut cells = BTreeMap::new();
        for panel in dashboard.panels_and_rows() {
            let [x, y, w, h] = panel.place();
            let title = panel.title();
            assert!(
                w > 0 && h > 0 && x + w <= WIDTH,
                "{}: {title}: off the grid",
                dashboard.file
            );
            for cell in (y..y + h).flat_map(|y| (x..x + w).map(move |x| (y, x))) {
                if let Some(other) = cells.insert(cell, title) {
                    panic!("{}: {title:?} lies over {other:?}", dashboard.file);
                }
            }
        }
        // No gaps: Grafana would move panels up into them.
        let bottom = cells.keys().map(|(y, _)| y + 1).max().unwrap();
        assert_eq!(
            cells.len() as u64,
            bottom * WIDTH,
            "{}: a hole in the grid",
            dashboard.file
        );
    }
}

#[test]
fn panels_are_in_reading_order() {
    for dashboard in Dashboard::sources() {
        let places = dashboard.panels_and_rows().into_iter().map(|panel| {
            let [x, y, ..] = panel.place();
            (y, x)
        });
        assert!(places.is_sorted(), "{}", dashboard.file);
    }
}

#[test]
fn ids_are_unique() {
    for dashboard in Dashboard::all() {
        let panels = dashboard.panels_and_rows();
        let ids: BTreeSet<_> = panels
            .iter()
            .map(|panel| panel.0["id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids.len(), panels.len(), "{}", dashboard.file);
        for panel in panels {
            let targets: BTreeSet<_> = panel
                .targets()
                .iter()
                .map(|target| target["refId"].as_str())
                .collect();
            assert_eq!(targets.len(), panel.targets().len(), "{}", panel.title());
        }
    }
}

/// Grafana's provisioning refuses two dashboards with one uid or one title in a folder.
#[test]
fn all_files_can_be_in_one_folder() {
    let dashboards = Dashboard::all();
    for key in ["uid", "title"] {
        let values: BTreeSet<_> = dashboards
            .iter()
            .map(|dashboard| dashboard.json[key].as_str())
            .collect();
        assert_eq!(values.len(), dashboards.len(), "{key}");
    }
}

/// Dashboards link to each other by a tag that is different for each language.
#[test]
fn the_dashboards_of_a_language_link_to_each_other() {
    let mut tags: BTreeMap<String, usize> = BTreeMap::new();
    for dashboard in Dashboard::all() {
        let (tag, link) = (&dashboard.json["tags"], &dashboard.json["links"][0]);
        assert_eq!(&link["tags"], tag, "{}", dashboard.file);
        assert_eq!(link["type"], "dashboards", "{}", dashboard.file);
        assert_eq!(link["keepTime"], true, "{}", dashboard.file);
        *tags.entry(tag.to_string()).or_default() += 1;
    }
    assert_eq!(tags.into_values().collect::<Vec<_>>(), [2, 2]);
}

/// Flux replaces `${…}` in everything it applies, including the contents of a ConfigMap.
#[test]
fn variables_are_written_without_braces() {
    for dashboard in Dashboard::all() {
        assert!(
            !dashboard.json.to_string().contains("${"),
            "{}",
            dashboard.file
        );
    }
}

#[test]
fn a_stat_shows_now_or_nothing() {
    for dashboard in Dashboard::sources() {
        for panel in dashboard.panels() {
            let now = ["stat", "table"].contains(&panel.kind());
            for target in panel.targets() {
                let instant = target["instant"] == true;
                assert_eq!(
                    instant,
                    now,
                    "{}: the last value of a range may be hours old",
                    panel.title()
                );
            }
        }
    }
}

/// Grafana sorts by the title of a column, and silently does not sort if there is no such column.
#[test]
fn legends_are_sorted_by_a_column_they_have() {
    for dashboard in Dashboard::sources() {
        for panel in dashboard.panels() {
            let legend = &panel.0["options"]["legend"];
            if let Some(column) = legend["sortBy"].as_str() {
                let calcs = legend["calcs"].as_array().unwrap();
                let has = calcs
                    .iter()
                    .any(|calc| calc.as_str() == Some(&column.to_lowercase()));
                assert!(has, "{}: {column}", panel.title());
            }
        }
    }
}
