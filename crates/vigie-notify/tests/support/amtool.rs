//! amtool against a real Alertmanager and against Vigie.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use vigie_testkit::Alertmanager;

use crate::api::{CONFIG, serve};
use crate::side_by_side::{SOON, Server};

/// The commands, in order. `{0}` stands for the first silence that was created.
const COMMANDS: &[&[&str]] = &[
    &["alert", "query", "-o", "json"],
    &[
        "alert",
        "add",
        "alertname=A",
        "team=x",
        "severity=critical",
        "--annotation=summary=\"s\"",
    ],
    &[
        "alert",
        "add",
        "B",
        "team=x",
        "severity=warning",
        "--generator-url=http://g/",
    ],
    &["alert", "query", "-o", "json"],
    &["alert", "query", "-o", "json", "--inhibited"],
    &["alert", "query", "-o", "json", "--receiver=b"],
    &["alert", "query", "-o", "json", "team=~x|y", "alertname!=B"],
    &[
        "silence",
        "add",
        "A",
        "team=~x|y",
        "--comment=why",
        "--author=me",
        "--duration=10m",
    ],
    &["silence", "query", "-o", "json"],
    &["silence", "query", "-o", "json", "team=~x|y"],
    &["silence", "query", "-o", "json", "--created-by=you"],
    &["alert", "query", "-o", "json"],
    &["alert", "query", "-o", "json", "--silenced"],
    &[
        "silence",
        "update",
        "{0}",
        "--comment=because",
        "-o",
        "json",
    ],
    &["silence", "query", "-o", "json"],
    &["silence", "expire", "{0}"],
    &["silence", "query", "-o", "json"],
    &["silence", "query", "-o", "json", "--expired"],
    &["silence", "add", "--comment=nothing", "--author=me"],
    &["silence", "expire", "2b6e0c2c-0e48-4f06-8f2b-0e6b9b2b9f5a"],
    &["config", "routes", "test", "x=1", "team=y"],
    &["config", "show", "-o", "json"],
    &["cluster", "show", "-o", "json"],
];

/// Runs the commands against both, which must print the same.
pub(crate) async fn compare(program: &Path, amtool: &Path) {
    let alertmanager = Alertmanager::start_program(program, CONFIG).await.unwrap();
    let server = |addr| Server {
        addr,
        ids: Vec::new(),
    };
    let mut theirs = server(alertmanager.addr());
    let mut ours = server(serve(CONFIG, true).await);
    for command in COMMANDS {
        let deadline = tokio::time::Instant::now() + SOON;
        loop {
            let expected = run(amtool, &mut theirs, command);
            let found = run(amtool, &mut ours, command);
            if expected == found {
                break;
            }
            let again = command.contains(&"query") && tokio::time::Instant::now() < deadline;
            assert!(
                again,
                "{command:?}\nexpected {expected:#?}\n   found {found:#?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    // Without the rights, amtool shows the reason.
    let refusing = server(serve(CONFIG, false).await);
    let refused = output(
        amtool,
        &refusing,
        &["silence", "add", "a=b", "--comment=c", "--author=me"],
    );
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("403"), "{text}");
}

fn output(amtool: &Path, server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new(amtool);
    command.env_clear().env("HOME", "/nonexistent");
    command.arg(format!("--alertmanager.url=http://{}", server.addr));
    command.args(arguments).output().unwrap()
}

/// Whether the command succeeds, and what it prints.
fn run(amtool: &Path, server: &mut Server, command: &[&str]) -> (bool, Value) {
    let filled = command.iter().map(|argument| match server.ids.first() {
        Some(id) => argument.replace("{0}", id),
        None => (*argument).to_owned(),
    });
    let filled: Vec<String> = filled.collect();
    let arguments: Vec<&str> = filled.iter().map(String::as_str).collect();
    let output = output(amtool, server, &arguments);
    let printed = String::from_utf8(output.stdout).unwrap();
    let created = command[..2] == ["silence", "add"] && output.status.success();
    if created {
        server.ids.push(printed.trim().to_owned());
    }
    let value = match serde_json::from_str(&printed) {
        Ok(value) => value,
        Err(_) if created => Value::from("an identifier"),
        Err(_) => Value::from(printed.trim()),
    };
    (
        output.status.success(),
        without(server.comparable(value, "")),
    )
}

/// Removes the keys that only one of the two has, or whose values always differ.
fn without(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without).collect(),
        Value::Object(object) => {
            let pairs = object.into_iter();
            let pairs = pairs.filter(|(key, _)| {
                !matches!(&**key, "mutedBy" | "versionInfo" | "config" | "uptime")
            });
            Value::Object(pairs.map(|(key, value)| (key, without(value))).collect())
        }
        other => other,
    }
}
