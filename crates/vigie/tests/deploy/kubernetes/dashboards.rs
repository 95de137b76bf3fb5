//! The ConfigMaps of the dashboards.

use std::process::{Command, Stdio};

use super::rendered;
use crate::support::documents;

#[test]
fn kubectl_sends_the_printed_config_maps() {
    let output = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["dashboards", "print", "--for", "configmap"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = documents(&String::from_utf8(output.stdout).unwrap());
    let mut applied = rendered("dashboards");
    applied.sort_by_key(|object| object["metadata"]["name"].to_string());
    assert_eq!(applied.len(), 2);
    assert!(applied == printed);
}
