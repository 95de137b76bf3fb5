//! The real binary: help, exit codes, completions, manual pages.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use clap::{CommandFactory as _, Parser as _};
use vigie::cli::{self, Cli};

fn vigie(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = vigie(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every long flag of `vigie` and of its commands.
fn all_flags() -> Vec<String> {
    let mut cli = Cli::command();
    cli.build();
    let commands = std::iter::once(&cli).chain(cli.get_subcommands());
    let flags = commands.flat_map(clap::Command::get_arguments);
    let mut flags: Vec<_> = flags
        .filter_map(|flag| flag.get_long())
        .map(str::to_owned)
        .collect();
    flags.sort();
    flags.dedup();
    assert!(flags.len() > 9, "{flags:?}");
    flags
}

fn flags_of(command: &str) -> Vec<String> {
    let mut cli = Cli::command();
    cli.build();
    let command = cli.find_subcommand(command).unwrap();
    let flags = command.get_arguments().filter_map(clap::Arg::get_long);
    flags.map(str::to_owned).collect()
}

#[test]
fn the_definition_is_valid() {
    Cli::command().debug_assert();
}

#[test]
fn help() {
    let mut snapshots = insta::Settings::new();
    snapshots.set_snapshot_path("cli");
    snapshots.set_prepend_module_to_snapshot(false);
    snapshots.set_omit_expression(true);
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help-run", &["run", "--help"]),
        ("help-check", &["check", "--help"]),
        ("help-query", &["query", "--help"]),
        ("help-queue", &["queue", "--help"]),
        ("help-dashboards", &["dashboards", "--help"]),
        ("help-dashboards-print", &["dashboards", "print", "--help"]),
        ("help-completions", &["completions", "--help"]),
        ("help-man", &["man", "--help"]),
    ] {
        snapshots.bind(|| insta::assert_snapshot!(name, printed(arguments)));
    }
}

#[test]
fn version() {
    assert_eq!(
        printed(&["--version"]),
        concat!("vigie ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn wrong_usage_and_wrong_settings_end_with_2() {
    for (arguments, expected) in [
        (&[][..], "Usage: vigie"),
        (&["rum"], "'run'"),
        (&["run", "--ap"], "--app"),
        (&["completions", "tcsh"], "possible values: bash"),
        (&["man", "nothing"], "possible values: run"),
        (
            &["dashboards", "print", "jobs"],
            "possible values: vigie, details",
        ),
        (
            &["dashboards", "print", "--lang", "de"],
            "possible values: en, fr",
        ),
        (
            &["run", "--config", "/no/such/file"],
            "/no/such/file cannot be read",
        ),
        (
            &[
                "run",
                "--config",
                "../vigie-config/tests/config/listeners.bad.toml",
            ],
            "listeners.bad.toml:4:10",
        ),
        (&["check", "--admin", "nowhere"], "the flag --admin"),
    ] {
        let output = vigie(arguments);
        let shown = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {shown}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(shown.contains(expected), "{arguments:?}: {shown}");
        assert!(
            !shown.contains('\u{1b}'),
            "colours, but no terminal: {shown}"
        );
    }
}

#[test]
fn the_configuration_can_come_from_the_environment() {
    let output = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .arg("run")
        .env_clear()
        .env(
            "VIGIE_CONFIG",
            "../vigie-config/tests/config/listeners.bad.toml",
        )
        .env("VIGIE__LOG__FORMAT", "xml")
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(shown.contains("listeners.bad.toml:4:10"), "{shown}");
    assert!(shown.contains("VIGIE__LOG__FORMAT"), "{shown}");
    assert!(shown.contains("2 errors"), "{shown}");
}

#[test]
fn a_secret_without_its_flag_is_not_shown() {
    let output = vigie(&["run", "redis://:hunter2@127.0.0.1"]);
    let shown = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(shown.contains("unexpected argument"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn an_address_in_the_wrong_place_is_not_shown() {
    let address = "redis://u:hunter2@127.0.0.1";
    for (arguments, variable) in [
        (&["run"][..], "VIGIE__REDIS__URL_FILE"),
        (&["check"], "VIGIE__DATABASE__URL_FILE"),
        (&["check"], "VIGIE__ADMIN__LISTEN"),
        (&["check"], "VIGIE__REDIS__CA_FILE"),
        (&["check"], "VIGIE_CONFIG"),
        (&["query", "up"], "VIGIE__ADMIN__TOKEN_FILE"),
        (&["run", "--config", address], "IRRELEVANT"),
        (&["run", "--config", "redis://u:hunter2"], "IRRELEVANT"),
        (&["run", "--help"], "VIGIE_CONFIG"),
        (&["check", address], "VIGIE_CONFIG"),
        (&["rules", "check", address], "IRRELEVANT"),
        (&["query", "--server", address, "up"], "IRRELEVANT"),
        (&["run", "redis://u:hunter2"], "IRRELEVANT"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_vigie"))
            .args(arguments)
            .env_clear()
            // Without an invalid setting the program would run.
            .env("VIGIE__LOG__FORMAT", "xml")
            .env(variable, address)
            .output()
            .unwrap();
        let shown = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.is_empty(), "{arguments:?}");
        assert!(!shown.contains("hunter2"), "{arguments:?}: {shown}");
    }
}

#[test]
fn completions_contain_every_flag() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        for flag in all_flags() {
            assert!(script.contains(&flag), "{shell} does not know --{flag}");
        }
    }
}

#[test]
fn bash_completes() {
    let script = printed(&["completions", "bash"]);
    for (typed, expected) in [
        ("vigie ru", "run rules"),
        ("vigie rules ch", "check"),
        ("vigie run --app", "--app"),
        ("vigie check --log-f", "--log-format"),
        ("vigie completions fi", "fish"),
    ] {
        let words: Vec<&str> = typed.split(' ').collect();
        let (last, previous) = (words[words.len() - 1], words[words.len() - 2]);
        let mut bash = Command::new("bash")
            .args(["--norc", "-eu", "-s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let test = format!(
            "set +eu\n{script}\nCOMP_WORDS=({typed})\nCOMP_CWORD={}\n_vigie vigie {last} {previous}\necho \"${{COMPREPLY[@]}}\"\n",
            words.len() - 1
        );
        bash.stdin
            .take()
            .unwrap()
            .write_all(test.as_bytes())
            .unwrap();
        let output = bash.wait_with_output().unwrap();
        let replies = String::from_utf8(output.stdout).unwrap();
        assert_eq!(replies.trim(), expected, "{typed}");
    }
}

#[test]
fn manual_pages() {
    let page = printed(&["man"]);
    assert!(page.contains(".TH vigie 1"), "{page}");
    for command in ["run", "check", "query", "dashboards", "completions", "man"] {
        assert!(page.contains(&format!("vigie\\-{command}")), "{command}");
        let own = printed(&["man", command]);
        assert!(own.contains(&format!(".TH vigie-{command} 1")), "{own}");
    }
    for command in ["run", "query"] {
        let page = printed(&["man", command]);
        for flag in flags_of(command) {
            assert!(page.contains(&flag.replace('-', "\\-")), "--{flag}");
        }
    }
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["completions", "zsh"])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_usage_error_shows_no_password() {
    for arguments in [
        &["run", "redis://:hunter2@h"][..],
        &["run", "--redsi=redis://:hunter2@h"],
        &[
            "run",
            "--redis",
            "redis://h",
            "--redis",
            "redis://:hunter2@h",
        ],
        &["redis://:hunter2@h"],
        &["completions", "redis://:hunter2@h"],
        &["man", "redis://:hunter2@h"],
    ] {
        let all = ["vigie"].iter().chain(arguments);
        let error = Cli::try_parse_from(all).err().unwrap().to_string();
        let shown = cli::without_secrets(
            &error,
            arguments.iter().map(|argument| (*argument).to_owned()),
        );
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("error:"), "{shown}");
    }
}
