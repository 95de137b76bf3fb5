//! `route`: the tree as written, and the matchers of routes and inhibition rules.

use std::time::Duration;

use vigie_alerts::yaml::{Text, shown};

use super::read::Reader;
use super::table::Table;
use crate::matcher::{self, MatchOp, Matcher, Matchers};

/// A route of the tree. Absent options are inherited.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// The name of the receiver.
    pub receiver: Option<String>,
    /// The labels that alerts are grouped by.
    pub group_by: Option<GroupBy>,
    /// The alerts it matches.
    pub matchers: Matchers,
    /// Whether its later siblings are tried after it matched an alert.
    pub continues: bool,
    /// The delay of a new group's first message, to collect more alerts.
    pub group_wait: Option<Duration>,
    /// The least time between two messages of a group.
    pub group_interval: Option<Duration>,
    /// The time after which a message of an unchanged group is repeated.
    pub repeat_interval: Option<Duration>,
    /// The names of the time intervals during which it is muted.
    pub mute_time_intervals: Vec<String>,
    /// The names of the time intervals outside of which it is muted, if there are any.
    pub active_time_intervals: Vec<String>,
    /// The routes below it.
    pub routes: Vec<Route>,
}

/// The labels that alerts of one group have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// These; without any, all alerts of the route are one group.
    Labels(Vec<String>),
    /// All labels (`'...'`): each alert is a group.
    All,
}

/// The names that routes may refer to.
pub(super) struct Names<'a> {
    pub(super) receivers: Vec<&'a str>,
    pub(super) intervals: Vec<&'a str>,
}

pub(super) fn read(table: Table<'_, '_, '_>, names: &Names<'_>, root: bool) -> Route {
    let reader = table.reader();
    let receiver = table.filled("receiver");
    match receiver {
        Some(name) => refer(reader, name, "receiver", &names.receivers),
        None if root => table.missing("receiver"),
        None => {}
    }
    let group_by = group_by(&table);
    let matchers = matchers(&table, "match", "match_re", "matchers");
    let continues = table.flag("continue", false);
    let group_wait = table.duration("group_wait");
    let group_interval = nonzero(&table, "group_interval");
    let repeat_interval = nonzero(&table, "repeat_interval");
    let interval = |name| {
        let given = table.text_nodes(name);
        for text in &given {
            refer(reader, text, "time interval", &names.intervals);
        }
        given.into_iter().map(|text| text.to_string()).collect()
    };
    let mute_time_intervals: Vec<String> = interval("mute_time_intervals");
    let active_time_intervals: Vec<String> = interval("active_time_intervals");
    let below = table.tables("routes", "a route").into_iter();
    let routes = below.map(|table| read(table, names, false)).collect();
    if root {
        let forbidden = [
            ("continue", continues),
            ("matchers", !matchers.as_slice().is_empty()),
            ("mute_time_intervals", !mute_time_intervals.is_empty()),
            ("active_time_intervals", !active_time_intervals.is_empty()),
        ];
        for (name, _) in forbidden.iter().filter(|(_, given)| *given) {
            let found = format!("the first route has `{name}`");
            let accepted = "it takes every alert, always";
            reader.problem(table.span.clone(), found, accepted, None);
        }
    }
    table.finish(&["labels"]);
    Route {
        receiver: receiver.map(|text| text.to_string()),
        group_by,
        matchers,
        continues,
        group_wait,
        group_interval,
        repeat_interval,
        mute_time_intervals,
        active_time_intervals,
        routes,
    }
}

/// Reports a name that is not defined.
fn refer(reader: &Reader<'_>, name: &Text, what: &str, defined: &[&str]) {
    if !defined.contains(&&**name) {
        let found = format!("the {what} `{}` is not defined", shown(name));
        let accepted = match defined {
            [] => format!("no {what} is defined"),
            _ => format!("defined: {}", defined.join(", ")),
        };
        let help = super::read::did_you_mean(name, defined);
        reader.problem(name.span(), found, accepted, help);
    }
}

fn nonzero(table: &Table<'_, '_, '_>, name: &'static str) -> Option<Duration> {
    let accepted = "a duration above zero, as in 30s, 5m or 4h";
    table.parsed(name, accepted, |text| {
        vigie_alerts::parse_duration(text).filter(|duration| !duration.is_zero())
    })
}

fn group_by(table: &Table<'_, '_, '_>) -> Option<GroupBy> {
    let present = table.take("group_by")?;
    let labels = table.text_nodes("group_by");
    let mut names: Vec<String> = Vec::new();
    for label in &labels {
        if label.is_empty() {
            let found = "an empty label in `group_by`";
            table
                .reader()
                .problem(label.span(), found, "accepted: names of labels", None);
        } else if names.iter().any(|name| **name == ***label) {
            let found = format!("`{}` stands twice in `group_by`", shown(label));
            table
                .reader()
                .problem(label.span(), found, "a label is given once", None);
        }
        names.push(label.to_string());
    }
    let all = labels.iter().any(|label| &***label == "...");
    if all && labels.len() > 1 {
        let found = "`...` beside other labels in `group_by`";
        let accepted = "it means all labels, so it stands alone";
        let span = present.key.span();
        table.reader().problem(span, found, accepted, None);
    }
    Some(match all {
        true => GroupBy::All,
        false => GroupBy::Labels(names),
    })
}

/// The matchers of the older two keys, which are tables, and of the newer one, a list of texts.
pub(super) fn matchers(
    table: &Table<'_, '_, '_>,
    equal: &'static str,
    regex: &'static str,
    list: &'static str,
) -> Matchers {
    let reader = table.reader();
    let mut matchers = Vec::new();
    for (key, op) in [(equal, MatchOp::Equal), (regex, MatchOp::Match)] {
        let given = table.take(key);
        let entries = given.and_then(|given| reader.entries(given.node, &format!("`{key}`")));
        for (name, value) in entries.unwrap_or_default() {
            if !is_classic(name) {
                let found = format!("`{}` is no name of a label", shown(name));
                let accepted = "accepted: letters, digits and `_`, not a digit first";
                let help = format!("write it in `{list}` instead");
                reader.problem(name.span(), found, accepted, Some(help));
            }
            let Some(value) = reader.text(value, "a value") else {
                continue;
            };
            // Alertmanager writes them so in the keys of groups.
            let pattern = match op {
                MatchOp::Match => format!("^(?:{})$", &**value),
                _ => value.to_string(),
            };
            match Matcher::new(&**name, op, pattern) {
                Ok(matcher) => matchers.push(matcher),
                Err(error) => reader.problem(value.span(), error, "", None),
            }
        }
    }
    for text in table.text_nodes(list) {
        match matcher::parse(text) {
            Ok(parsed) => matchers.extend(parsed),
            Err(error) => {
                let accepted = r#"accepted: as in severity = "critical", with =, !=, =~ or !~"#;
                reader.problem(text.locate(error.span), error.message, accepted, None);
            }
        }
    }
    Matchers::new(matchers)
}

fn is_classic(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(word)
}
