//! The modules of this crate depend on each other in one direction only, as ARCHITECTURE.md says.
#![allow(clippy::unwrap_used, missing_docs)]

mod references;

use std::collections::BTreeSet;
use std::path::Path;

use references::{Reference, references_in};

/// The layers, lower ones first, and the modules of each in the same order.
///
/// A module may use the modules of lower layers, and those that precede it in its own layer. An order without an upward
/// use has no cycle. The root (`lib.rs`) exports from all of them.
const LAYERS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("settings", &[]),
    ("metrics", &[]),
    (
        "protocol",
        &[
            "version",
            "key",
            "outcome",
            "values",
            "errors",
            "markers",
            "levels",
            "counting",
            "discovery",
            "entry",
            "check",
            "clients",
            "commands",
            "testing",
        ],
    ),
    (
        "failures",
        &["text", "shapes", "redact", "frame", "reasons"],
    ),
    (
        "events",
        &[
            "places",
            "names",
            "table",
            "jobs",
            "repair",
            "ledger",
            "pauses",
            "batch",
            "fold",
            "memory_tests",
        ],
    ),
    (
        "signals",
        &[
            "clock",
            "events",
            "ask",
            "active",
            "children",
            "due",
            "held",
            "waiting",
            "inspection",
            "testing",
        ],
    ),
    (
        "series",
        &[
            "figures",
            "compatible",
            "families",
            "levels",
            "counts",
            "signals",
        ],
    ),
    (
        "queue",
        &[
            "holder",
            "keyspace",
            "activity",
            "reading",
            "handover",
            "state",
            "events",
            "inspecting",
            "followed",
        ],
    ),
    (
        "directory",
        &["node", "plan", "refresh", "snapshot", "current"],
    ),
    (
        "session",
        &[
            "backoff",
            "refusals",
            "connection",
            "survey",
            "job_names",
            "hints",
            "context",
            "address",
            "stream",
            "reader",
            "stacks",
            "follower",
            "schedule",
            "inspector",
            "sweeper",
            "control",
            "tasks",
            "cluster",
        ],
    ),
    ("probe", &[]),
    ("watcher", &[]),
    (
        "fuzzing",
        &["input", "failures", "server", "reader", "story"],
    ),
];

/// Modules without connections, tasks, locks and clocks.
const PURE: &[&str] = &["protocol", "failures", "events", "signals"];

fn sources() -> Vec<Reference> {
    references_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn layer(name: &str) -> Option<(usize, &'static [&'static str])> {
    let at = LAYERS.iter().position(|(layer, _)| *layer == name)?;
    Some((at, LAYERS[at].1))
}

/// Test code may use its whole layer.
fn is_test(module: &[String]) -> bool {
    let is_test = |name: &String| name == "tests" || name == "testing" || name.ends_with("_tests");
    module.iter().any(is_test)
}

/// Why a module must not refer to another.
fn violation(reference: &Reference) -> Option<String> {
    let Reference { from, to } = reference;
    let problem = |why: &str| Some(format!("{} uses {}: {why}", from.join("::"), to.join("::")));
    // The root exports from all layers.
    let (from_layer, modules) = layer(from.first()?)?;
    let Some((to_layer, to_modules)) = to.first().and_then(|name| layer(name)) else {
        return problem("name the module that defines it");
    };
    if to_layer > from_layer {
        return problem("an upper layer");
    }
    if to_modules.is_empty() {
        return None;
    }
    let place = |modules: &[&str], path: &[String]| {
        let name = path.get(1)?;
        modules.iter().position(|module| module == name)
    };
    let Some(to_module) = place(to_modules, to) else {
        return problem("name a module of the layer");
    };
    if to_layer < from_layer {
        return None;
    }
    match place(modules, from) {
        Some(module) if is_test(from) || to_module <= module => None,
        _ => problem("a later module of the same layer"),
    }
}

#[test]
fn no_module_uses_an_upper_one() {
    let references = sources();
    assert!(references.len() > 200, "{} references", references.len());
    let violations: Vec<_> = references.iter().filter_map(violation).collect();
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn every_module_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let found: BTreeSet<_> = references::modules(&root).into_iter().collect();
    let layers = LAYERS.iter().flat_map(|(layer, modules)| {
        let modules = modules
            .iter()
            .map(|module| vec![(*layer).to_owned(), (*module).to_owned()]);
        modules.chain([vec![(*layer).to_owned()]])
    });
    let listed: BTreeSet<_> = layers.collect();
    assert_eq!(found, listed);
}

#[test]
fn pure_layers_have_no_connection_task_lock_or_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for layer in PURE {
        for file in references::files(&root.join(layer)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for word in ["tokio", "parking_lot", "vigie_metrics", "async ", "::now()"] {
                assert!(!code.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

#[test]
fn upward_uses_are_found() {
    let path = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<_>>();
    let is_allowed = |from: &str, to: &str| {
        let (from, to) = (path(from), path(to));
        violation(&Reference { from, to }).is_none()
    };
    for (from, to) in [
        ("watcher", "session::tasks::watch"),
        ("session::control", "protocol::levels::Levels"),
        ("session::control", "session::survey::ask"),
        ("session::control", "session::control::Control"),
        ("events::fold", "error::Error"),
        ("signals::held::tests", "signals::testing::ago"),
    ] {
        assert!(is_allowed(from, to), "{from} uses {to}");
    }
    for (from, to) in [
        ("protocol::levels", "session::control::Control"),
        ("session::survey", "session::control::REQUIRED"),
        ("events::fold::tests", "signals::clock::Clock"),
        ("signals::held", "signals::testing::ago"),
        ("queue::state", "protocol"),
        ("queue::state", "events::Fold"),
        ("queue::state", "Settings"),
        ("queue", "queue::state::State"),
    ] {
        assert!(!is_allowed(from, to), "{from} uses {to}");
    }
}
