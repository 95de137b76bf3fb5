//! All dependencies have a licence, a source and a name that `deny.toml` allows. cargo-deny reads the same file.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use serde::Deserialize;

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
    /// The crates that may depend on it as an exception.
    #[serde(default)]
    wrappers: BTreeSet<String>,
}

fn deny() -> Deny {
    toml::from_str(include_str!("../../../../deny.toml")).unwrap()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .other_options(["--locked".to_owned()])
        .exec()
        .unwrap()
}

fn is_ours(package: &Package) -> bool {
    package.source.is_none()
}

/// Whether the licence expression can be satisfied with allowed licences alone.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX);
    let expression = expression.unwrap_or_else(|error| panic!("{error}"));
    expression.evaluate(|requirement| allowed.contains(&requirement.to_string()))
}

#[test]
fn every_licence_is_allowed() {
    let allowed = deny().licenses.allow;
    let metadata = metadata();
    let wrong: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| {
            let license = package.license.as_deref();
            !license.is_some_and(|license| is_allowed(license, &allowed))
        })
        .map(|package| format!("{}: {:?}", package.name, package.license))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_licence_outside_the_list_is_found() {
    let allowed = deny().licenses.allow;
    for refused in [
        "GPL-3.0-only",
        "MIT AND AGPL-3.0-only",
        "MPL-2.0",
        "Apache-2.0 WITH Classpath-exception-2.0",
    ] {
        assert!(!is_allowed(refused, &allowed), "{refused}");
    }
    for accepted in ["MIT/Apache-2.0", "MIT OR LGPL-2.1-or-later"] {
        assert!(is_allowed(accepted, &allowed), "{accepted}");
    }
}

#[test]
fn no_banned_crate_is_used() {
    let metadata = metadata();
    let names: BTreeMap<&PackageId, &str> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.as_str()))
        .collect();
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    for ban in deny().bans.deny {
        let users = nodes.iter().filter(|node| {
            let mut used = node.dependencies.iter().map(|used| names[used]);
            used.any(|used| used == ban.name)
        });
        let users: Vec<_> = users
            .map(|node| names[&node.id])
            .filter(|user| !ban.wrappers.contains(*user))
            .collect();
        assert!(
            users.is_empty(),
            "{} is banned ({}) and used by {users:?}",
            ban.name,
            ban.reason
        );
    }
}

/// `unknown-registry` and `unknown-git`.
#[test]
fn every_dependency_comes_from_the_registry() {
    for package in metadata()
        .packages
        .iter()
        .filter(|package| !is_ours(package))
    {
        let source = package.source.as_ref().unwrap();
        assert!(source.is_crates_io(), "{}: {source}", package.name);
    }
}

/// Members use the versions of the workspace manifest.
#[test]
fn every_member_has_the_workspace_version() {
    let metadata = metadata();
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| is_ours(package)) {
        for dependency in &package.dependencies {
            if dependency.path.is_none() && dependency.kind != DependencyKind::Unknown {
                let requirement = dependency.req.to_string();
                versions
                    .entry(&dependency.name)
                    .or_default()
                    .insert(requirement);
            }
        }
    }
    let split: Vec<_> = versions.iter().filter(|(_, all)| all.len() > 1).collect();
    assert!(split.is_empty(), "{split:#?}");
}
