//! The dependencies between the crates are the ones shown in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The workspace crates that each crate may depend on, and the external crates that it must not.
const RULES: &[(&str, &[&str], &[&str])] = &[
    (
        "vigie-metrics",
        &[],
        &["tokio", "serde", "hyper", "redis", "sqlx"],
    ),
    (
        "vigie-gateway",
        &["vigie-metrics", "vigie-traffic"],
        &["redis", "sqlx", "toml", "clap", "axum"],
    ),
    (
        "vigie-bullmq",
        &["vigie-metrics", "vigie-redis"],
        &["hyper", "sqlx", "toml", "clap", "axum"],
    ),
    (
        "vigie-probes",
        &["vigie-metrics", "vigie-redis", "vigie-tls"],
        &["toml", "clap"],
    ),
    (
        "vigie-election",
        &["vigie-redis"],
        &["sqlx", "toml", "clap", "axum"],
    ),
    (
        "vigie-redis",
        &["vigie-tls"],
        &["hyper", "sqlx", "toml", "clap", "axum"],
    ),
    (
        "vigie-tls",
        &[],
        &["redis", "sqlx", "serde", "hyper", "toml", "clap", "axum"],
    ),
    (
        "vigie-api",
        &["vigie-promql"],
        &["redis", "sqlx", "toml", "clap"],
    ),
    (
        "vigie-history",
        &["vigie-promql"],
        &["tokio", "serde", "hyper", "redis", "sqlx", "toml"],
    ),
    (
        "vigie-promql",
        &[],
        &["tokio", "serde", "hyper", "redis", "sqlx"],
    ),
    (
        "vigie-alerts",
        &["vigie-promql"],
        &["tokio", "hyper", "redis", "sqlx", "clap", "axum"],
    ),
    (
        "vigie-notify",
        &[
            "vigie-alerts",
            "vigie-metrics",
            "vigie-promql",
            "vigie-store",
            "vigie-tls",
        ],
        &["redis", "sqlx", "clap"],
    ),
    (
        "vigie-store",
        &[],
        &["tokio", "serde", "hyper", "redis", "sqlx", "toml"],
    ),
    (
        "vigie-config",
        &[
            "vigie-alerts",
            "vigie-api",
            "vigie-bullmq",
            "vigie-capture",
            "vigie-election",
            "vigie-gateway",
            "vigie-history",
            "vigie-notify",
            "vigie-probes",
            "vigie-promql",
            "vigie-redis",
            "vigie-store",
            "vigie-traffic",
        ],
        &["tokio", "clap", "axum", "hyper"],
    ),
    (
        "vigie-query",
        &["vigie-config", "vigie-promql"],
        &["vigie-alerts", "redis", "sqlx", "axum"],
    ),
    (
        "vigie",
        &[
            "vigie-api",
            "vigie-alerts",
            "vigie-bullmq",
            "vigie-capture",
            "vigie-config",
            "vigie-gateway",
            "vigie-history",
            "vigie-election",
            "vigie-metrics",
            "vigie-notify",
            "vigie-probes",
            "vigie-promql",
            "vigie-query",
            "vigie-redis",
            "vigie-store",
            "vigie-traffic",
        ],
        &[],
    ),
    (
        "vigie-traffic",
        &["vigie-metrics"],
        &["tokio", "http", "hyper", "redis", "sqlx", "toml", "tracing"],
    ),
    (
        "vigie-capture",
        &["vigie-metrics", "vigie-traffic"],
        &["tokio", "hyper", "redis", "sqlx", "toml", "clap"],
    ),
    ("vigie-testkit", &[], &["hyper", "redis", "sqlx", "axum"]),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let direct = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter();
        let normal = normal.filter(|dependency| dependency.kind == DependencyKind::Normal);
        normal
            .map(|dependency| dependency.name.to_string())
            .collect()
    };
    let packages = metadata.packages.iter();
    packages
        .map(|package| (package.name.to_string(), direct(package)))
        .collect()
}

#[test]
fn no_forbidden_edge() {
    let dependencies = dependencies();
    for (name, may_use, never) in RULES {
        let uses = &dependencies[*name];
        for used in uses.iter().filter(|used| used.starts_with("vigie")) {
            assert!(
                may_use.contains(&used.as_str()),
                "{name} must not use {used}"
            );
        }
        for forbidden in *never {
            assert!(
                !uses.contains(*forbidden),
                "{name} must never know {forbidden}"
            );
        }
    }
}

#[test]
fn every_crate_has_a_rule_and_a_row() {
    let page = include_str!("../../../../ARCHITECTURE.md");
    for name in dependencies().keys() {
        assert!(
            page.contains(&format!("| `{name}` |")),
            "{name} has no row in ARCHITECTURE.md"
        );
        let free = ["vigie-bench", "xtask"].contains(&name.as_str());
        assert!(
            free || RULES.iter().any(|(rule, ..)| rule == name),
            "{name} has no rule"
        );
    }
}
