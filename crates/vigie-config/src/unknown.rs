//! Keys, sections and variables that do not exist, each with the most similar one that does.

use vigie_promql::suggest::nearest;

use crate::env;
use crate::given::{Given, Layer, Place, is_inside};
use crate::problem::Problem;

/// A problem for everything in `layer` that is not among the `known` keys.
pub(crate) fn problems(layer: &Layer, known: &[String]) -> Vec<Problem> {
    let is_section = |name: &str| known.iter().any(|key| is_inside(key, name));
    let is_key = |name: &str| known.iter().any(|key| key == name);
    let mut problems = Vec::new();
    let mut unknown_sections: Vec<&str> = Vec::new();

    // In the order of their names, a section comes before its subsections.
    for (section, place) in &layer.sections {
        if unknown_sections
            .iter()
            .any(|outer| is_inside(section, outer))
            || is_section(section)
        {
            continue;
        }
        unknown_sections.push(section);
        problems.push(if is_key(section) {
            let title = format!("{section}: found a section");
            Problem::at(place.clone(), title, "this key takes one value").local()
        } else {
            unknown("section", section, place, &children(known, parent(section)))
        });
    }
    for (key, given) in &layer.values {
        if is_key(key) || unknown_sections.iter().any(|outer| is_inside(key, outer)) {
            continue;
        }
        problems.push(match &given.key {
            Place::Env(name) => unknown_variable(name, given, known),
            place if is_section(key) => {
                let title = format!("{key} is a section, not a key");
                let label = format!("this is a section: write [{key}]");
                Problem::at(place.clone(), title, label).local()
            }
            place => unknown("key", key, place, &children(known, parent(key))),
        });
    }
    problems
}

fn unknown(what: &str, path: &str, place: &Place, siblings: &[&str]) -> Problem {
    let outer = parent(path);
    let name = path.strip_prefix(outer).unwrap_or(path);
    let name = name.trim_start_matches('.');
    let inside = if outer.is_empty() {
        "the file".to_owned()
    } else {
        format!("[{outer}]")
    };
    let title = format!("unknown {what} {path}");
    match nearest(name, siblings.iter().copied()) {
        Some(meant) => Problem::at(place.clone(), title, format!("did you mean `{meant}`?")),
        None => Problem::at(place.clone(), title, format!("{inside} has no such {what}"))
            .help(format!("{inside} accepts {}", siblings.join(", "))),
    }
    .local()
}

fn unknown_variable(name: &str, given: &Given, known: &[String]) -> Problem {
    let names: Vec<String> = known.iter().map(|key| env::variable(key)).collect();
    let label = match nearest(name, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "no setting has this name: VIGIE__SECTION__KEY".into(),
    };
    let title = format!("unknown variable {}", name.escape_debug());
    Problem::at(given.key.clone(), title, label)
}

/// The names directly inside `section`, without duplicates, in the order in which they are read.
fn children<'a>(known: &'a [String], section: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for key in known {
        let rest = match section {
            "" => Some(key.as_str()),
            _ if is_inside(key, section) => Some(&key[section.len() + 1..]),
            _ => None,
        };
        if let Some(name) = rest.and_then(|rest| rest.split('.').next())
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// The section that contains a key; a quoted name keeps its dots.
fn parent(path: &str) -> &str {
    match path.split_once('"') {
        Some((outer, _)) => outer.trim_end_matches('.'),
        None => path.rsplit_once('.').map_or("", |(outer, _)| outer),
    }
}
