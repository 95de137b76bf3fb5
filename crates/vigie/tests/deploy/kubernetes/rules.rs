//! The PrometheusRules are the repository's rules, one object for each file.
//!
//! `UPDATE_DEPLOY=1 cargo test -p vigie --test deploy` rewrites them.

use std::env;

use serde_json::{Value, json};

use super::{of_kind, rendered};
use crate::support::{document, files, read, root};

const FILE: &str = "deploy/kubernetes/monitoring/prometheusrule.yaml";

const HEAD: &str = "\
# The rules of rules/, as the Prometheus operator wants them. Not to be changed here: change them there, then
#   UPDATE_DEPLOY=1 cargo test -p vigie --test deploy
";

fn rule_files() -> Vec<String> {
    files("rules", |name| {
        name.ends_with(".yml") && name.matches('/').count() == 1
    })
}

/// The name of the object for a rule file.
fn name(file: &str) -> String {
    let stem = file.strip_prefix("rules/").unwrap();
    format!("vigie-{}", stem.strip_suffix(".yml").unwrap())
}

/// The text is included unchanged with its comments, indented by one level.
fn object(file: &str) -> String {
    let text = read(file);
    let deeper = |line: &str| match line {
        "" => String::from("\n"),
        line => format!("  {line}\n"),
    };
    let groups: String = text.lines().map(deeper).collect();
    format!(
        "---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: {}\nspec:\n{groups}",
        name(file)
    )
}

#[test]
fn they_are_the_rule_files() {
    let objects: String = rule_files().iter().map(|file| object(file)).collect();
    let expected = format!("{HEAD}{objects}");
    if env::var_os("UPDATE_DEPLOY").is_some() {
        std::fs::write(root().join(FILE), &expected).unwrap();
    }
    let advice = "UPDATE_DEPLOY=1 cargo test -p vigie --test deploy";
    assert!(read(FILE) == expected, "{FILE} is not up to date: {advice}");
}

#[test]
fn kubectl_gets_every_rule_with_nothing_changed() {
    let objects = rendered("deploy/kubernetes/monitoring");
    let files = rule_files();
    assert!(!files.is_empty());
    let expected: Vec<Value> = files
        .iter()
        .map(|file| {
            json!({
                "apiVersion": "monitoring.coreos.com/v1",
                "kind": "PrometheusRule",
                "metadata": {"name": name(file), "labels": {"release": "kube-prometheus-stack"}},
                "spec": document(file),
            })
        })
        .collect();
    let mut found: Vec<Value> = of_kind(&objects, "PrometheusRule")
        .into_iter()
        .cloned()
        .collect();
    found.sort_by_key(|object| object["metadata"]["name"].to_string());
    assert_eq!(found, expected);
}
