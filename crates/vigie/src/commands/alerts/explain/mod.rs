//! `vigie alerts explain`: the parts of an alert's expression with their current results.

mod parts;
mod results;
mod selectors;
mod state;

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use clap::Args;

use super::super::remote::{Failure, Remote, Screen, lasting};
use super::fetch::{self, Group, Rule};
use vigie_query::{Target, printable};

/// The most parts and selectors shown.
const MOST_PARTS: usize = 30;

/// The arguments of `vigie alerts explain`.
#[derive(Args)]
pub(super) struct Explain {
    /// The name of the alert
    name: String,
    /// The server.
    #[command(flatten)]
    pub(super) target: Target,
}

/// Explains each rule of the name.
pub(super) fn run(remote: &Remote, explain: &Explain, screen: &Screen) -> Result<String, Failure> {
    let groups = fetch::rules(remote)?;
    let rules = groups.iter().flat_map(|group| {
        let rules = group.rules.iter().filter(|rule| rule.name == explain.name);
        rules.map(move |rule| (group, rule))
    });
    let rules: Vec<_> = rules.collect();
    if rules.is_empty() {
        let names = groups.iter().flat_map(|group| &group.rules);
        let names = names.map(|rule| &*rule.name);
        return Err(unknown(&explain.name, names).into());
    }
    let mut texts = Vec::new();
    for (group, rule) in rules {
        texts.push(one(remote, group, rule, screen)?);
    }
    Ok(texts.join("\n"))
}

fn unknown<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> anyhow::Error {
    let mut names: Vec<_> = names.map(printable).collect();
    names.sort_unstable();
    names.dedup();
    match names.is_empty() {
        true => anyhow!("no alert is named {name:?}: the server has no alerting rules"),
        false => anyhow!(
            "no alert is named {name:?}; there are: {}",
            names.join(", ")
        ),
    }
}

fn one(remote: &Remote, group: &Group, rule: &Rule, screen: &Screen) -> Result<String> {
    let mut text = String::new();
    let interval = lasting(group.interval.round() as i64);
    let file = match group.file.is_empty() {
        true => String::new(),
        false => format!(" of {}", printable(&group.file)),
    };
    let _ = writeln!(
        text,
        "{}  (group {}{file}, evaluated every {interval})",
        printable(&rule.name),
        printable(&group.name)
    );
    text += &state::describe(rule, screen);
    let Ok(expr) = vigie_promql::parse(&rule.query) else {
        let _ = writeln!(text, "\n  {}", printable(&rule.query));
        return Ok(text);
    };
    text += "\nparts of the expression, now\n";
    let parts = parts::of(&expr);
    for part in parts.iter().take(MOST_PARTS) {
        text += &results::of_part(remote, part)?;
    }
    text += &rest(parts.len());
    let selectors = selectors::of(&expr);
    if !selectors.is_empty() {
        text += "\nseries that the selectors find\n";
    }
    for selector in selectors.iter().take(MOST_PARTS) {
        text += &results::of_selector(remote, selector)?;
    }
    text += &rest(selectors.len());
    Ok(text)
}

/// The note about those that are not shown.
fn rest(count: usize) -> String {
    match count.saturating_sub(MOST_PARTS) {
        0 => String::new(),
        more => format!("  … and {more} more, which are not shown\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_noted() {
        assert_eq!((&*rest(0), &*rest(MOST_PARTS)), ("", ""));
        assert_eq!(
            rest(MOST_PARTS + 2),
            "  … and 2 more, which are not shown\n"
        );
    }
}
