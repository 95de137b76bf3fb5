//! `inhibit_rules`.

use super::route::matchers;
use super::table::Table;
use crate::matcher::Matchers;
use vigie_alerts::yaml::shown;

/// While an alert that `source` takes is firing, those that `target` takes are muted, if the labels `equal` are the same.
#[derive(Clone, Debug)]
pub struct InhibitRule {
    /// Its name; empty if it has none.
    pub name: String,
    /// The alerts that inhibit.
    pub source: Matchers,
    /// The alerts that are inhibited.
    pub target: Matchers,
    /// The labels that must have the same value; an absent one is empty.
    pub equal: Vec<String>,
}

pub(super) fn read(table: Table<'_, '_, '_>) -> InhibitRule {
    let rule = InhibitRule {
        name: table.string("name", ""),
        source: matchers(&table, "source_match", "source_match_re", "source_matchers"),
        target: matchers(&table, "target_match", "target_match_re", "target_matchers"),
        equal: equal(&table),
    };
    table.finish(&[]);
    rule
}

fn equal(table: &Table<'_, '_, '_>) -> Vec<String> {
    let labels = table.text_nodes("equal");
    for label in labels.iter().filter(|label| label.is_empty()) {
        let found = format!("`{}` is no name of a label", shown(label));
        table
            .reader()
            .problem(label.span(), found, "accepted: names of labels", None);
    }
    labels.into_iter().map(|label| label.to_string()).collect()
}
