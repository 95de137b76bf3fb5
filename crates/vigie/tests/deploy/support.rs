//! Helpers that read YAML, run tools, and load settings as in a container.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Parser;
use serde_json::Value;
use vigie::cli::{Cli, Command as Chore, sources};
use vigie_config::{Settings, Sources};
use vigie_testkit::tools::Tool;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below a folder for which `passes` is true, as sorted paths relative to the repository.
pub(crate) fn files(folder: &str, passes: impl Fn(&str) -> bool) -> Vec<String> {
    let (root, mut found) = (root(), Vec::new());
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if passes(name) {
                found.push(name.to_owned());
            }
        }
    }
    found.sort_unstable();
    found
}

/// The documents of a YAML text.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The one document of a YAML file of the repository.
pub(crate) fn document(path: &str) -> Value {
    let [document] = documents(&read(path)).try_into().unwrap();
    document
}

/// The standard output of a tool, which must succeed.
pub(crate) fn run(tool: Tool, arguments: &[&str], folder: &Path) -> String {
    let mut command = Command::new(tool.find().unwrap());
    command.args(arguments).current_dir(folder);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}\n{out}{err}");
    out
}

/// The text at a JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} of {value:#}"))
}

/// The number at a JSON pointer.
pub(crate) fn number(value: &Value, pointer: &str) -> u64 {
    let found = value.pointer(pointer).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("no number at {pointer} of {value:#}"))
}

/// The list at a JSON pointer; empty if there is none.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// The settings of `vigie` with these arguments and this environment; `file` replaces the file named in the arguments.
pub(crate) fn settings(
    arguments: &[&str],
    environment: Vec<(String, String)>,
    file: Option<&Path>,
) -> Settings {
    let arguments = ["vigie"].iter().chain(arguments);
    let cli = Cli::try_parse_from(arguments).unwrap();
    assert_eq!(cli.config.is_some(), file.is_some());
    let Chore::Run(overrides) = cli.command else {
        panic!("a container that does not run Vigie");
    };
    let env = environment
        .into_iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let sources = Sources {
        env: env.collect(),
        ..sources(file.map(Path::to_owned), &overrides)
    };
    Settings::load(&sources).unwrap_or_else(|error| panic!("{error}"))
}

/// The name of a file or folder.
pub(crate) fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap()
}
