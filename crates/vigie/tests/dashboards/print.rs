//! `vigie dashboards print`: the real binary prints the files.

use std::process::{Command, Stdio};

use crate::files::path;

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["dashboards", "print"])
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn text(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap()
}

#[test]
fn a_dashboard_is_printed_as_its_file() {
    for (arguments, file) in [
        (&[][..], "vigie.json"),
        (&["vigie"], "vigie.json"),
        (&["details", "--lang", "en"], "vigie-details.json"),
        (&["--lang", "fr"], "vigie.fr.json"),
        (&["details", "--lang", "fr"], "vigie-details.fr.json"),
    ] {
        assert!(printed(arguments) == text(file), "{arguments:?}");
    }
}

/// The entries under `data`, parsed by the rules of YAML's literal blocks.
fn parts(yaml: &str) -> Vec<(String, String, String)> {
    let map = |yaml: &str| {
        let (head, block) = yaml.split_once(": |\n").unwrap();
        let (head, key) = head.split_once("\ndata:\n  ").unwrap();
        let lines = block.lines();
        let data = lines.map(|line| line.strip_prefix("    ").unwrap().to_owned() + "\n");
        (head.to_owned(), key.to_owned(), data.collect())
    };
    yaml.split("---\n").map(map).collect()
}

#[test]
fn a_config_map_holds_a_dashboard_that_grafanas_sidecar_finds() {
    for (arguments, expected) in [
        (
            &["--for", "configmap"][..],
            &[
                ("vigie", "vigie.json"),
                ("vigie-details", "vigie-details.json"),
            ][..],
        ),
        (&["vigie", "--for", "configmap"], &[("vigie", "vigie.json")]),
        (
            &["details", "--lang", "fr", "--for", "configmap"],
            &[("vigie-details-fr", "vigie-details.fr.json")],
        ),
    ] {
        let found = parts(&printed(arguments));
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, file)| {
                let head = format!(
                    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: grafana-dashboard-{name}\n  labels:\n    grafana_dashboard: \"1\""
                );
                (head, (*file).to_owned(), text(file))
            })
            .collect();
        assert!(found == expected, "{arguments:?}");
    }
}

/// `kubectl apply` stores a copy of the object in an annotation, and annotations are limited to 256 KiB.
#[test]
fn a_config_map_can_be_applied() {
    let all = printed(&["--for", "configmap"]);
    for map in all.split("---\n") {
        assert!(map.len() < 200 * 1024, "{} bytes", map.len());
    }
}
