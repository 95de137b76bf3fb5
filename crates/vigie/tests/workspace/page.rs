//! The unit tests of the web page.

use std::path::Path;
use std::process::Command;

use vigie_testkit::tools;

#[test]
fn the_unit_tests_of_the_page_pass() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../page");
    assert!(
        page.join("node_modules").is_dir(),
        "page/node_modules is missing: run `cargo xtask page`"
    );
    let output = Command::new(tools::NPM.find().unwrap())
        .args(["run", "--silent", "test"])
        .current_dir(page)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
}

/// The lock file does not depend on the registry from which it was made.
#[test]
fn the_lock_file_names_no_host() {
    let lock = include_str!("../../../../page/package-lock.json");
    assert!(!lock.contains("\"resolved\""));
    assert!(lock.contains("\"integrity\""));
}
