//! Precedence: the environment overrides the file, flags override both.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;

use clap::Parser as _;
use secrecy::ExposeSecret as _;
use vigie::cli::{Cli, Command};
use vigie_config::{Access, ConfigError, Settings, Sources};

fn load(file: &str, env: &[(&str, &str)], flags: &[&str]) -> Result<Settings, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vigie.toml");
    fs::write(&path, file).unwrap();
    let arguments = ["vigie", "run"].iter().chain(flags);
    let Command::Run(overrides) = Cli::try_parse_from(arguments).unwrap().command else {
        panic!("not `run`");
    };
    Settings::load(&Sources {
        file: Some(path),
        env: env.iter().map(|(k, v)| (k.into(), v.into())).collect(),
        flags: overrides.flags(),
    })
}

/// The host of Redis.
fn redis(settings: &Settings) -> String {
    let place = settings.redis.as_ref().unwrap().redis.to_string();
    place.strip_suffix(":6379/0").unwrap().to_owned()
}

const FILE: &str = r#"
    admin.listen = "127.0.0.1:1"
    gateway.app = "http://file:1"
    redis.url = "redis://file"
    tick = { queue = "file", job = "file-job" }
    log.filter = "warn"
"#;

#[test]
fn the_last_one_wins() {
    let file = load(FILE, &[], &[]).unwrap();
    assert_eq!(file.admin.listen.port(), 1);
    assert_eq!(redis(&file), "file");

    let env = [
        ("VIGIE__ADMIN__LISTEN", "127.0.0.1:2"),
        ("VIGIE__REDIS__URL", "redis://env"),
        ("VIGIE__GATEWAY__ROUTES", "GET /a/:id, /b"),
        ("VIGIE__CHECKS__REDIS__REQUIRED", "false"),
        ("VIGIE__GATEWAY__MAX_HEADERS", "7"),
        ("VIGIE__REDIS__TIMEOUT", "250ms"),
        ("REDIS_URL", "redis://fallback"),
    ];
    let both = load(FILE, &env, &[]).unwrap();
    assert_eq!(both.admin.listen.port(), 2);
    assert_eq!(redis(&both), "env");
    assert_eq!(both.redis.as_ref().unwrap().timeout.as_millis(), 250);
    assert!(!both.checks.redis.required);
    let gateway = both.gateway.unwrap();
    assert_eq!(gateway.proxy.traffic.routes, ["GET /a/:id", "/b"]);
    assert_eq!(gateway.proxy.max_headers, 7);
    assert_eq!(gateway.proxy.apps, ["file:1"]);

    let flags = [
        "--admin=127.0.0.1:3",
        "--redis=redis://flag",
        "--app=http://flag",
        "--listen=127.0.0.1:4",
        "--database=sqlite:game.db",
        "--tick=flag/flag/job",
        "--log=debug",
        "--log-format=json",
    ];
    let all = load(FILE, &env, &flags).unwrap();
    assert_eq!(all.admin.listen.port(), 3);
    assert_eq!(redis(&all), "flag");
    assert_eq!(all.log.filter, "debug");
    assert!(all.unwatched().is_empty());
    let gateway = all.gateway.unwrap();
    assert_eq!(gateway.proxy.apps, ["flag:80"]);
    assert_eq!(gateway.listen.port(), 4);
    let tick = all.redis.unwrap().tick.unwrap();
    assert_eq!(tick.queue, "flag");
    assert_eq!(tick.job.as_deref(), Some("flag/job"));
}

#[test]
fn the_tick_of_a_flag_does_not_mix_with_the_job_of_the_file() {
    let settings = load(FILE, &[], &["--tick", "flag"]).unwrap();
    let tick = settings.redis.unwrap().tick.unwrap();
    assert_eq!((tick.queue.as_str(), tick.job), ("flag", None));
}

#[test]
fn fallbacks_apply_only_without_another_value() {
    let env = [
        ("REDIS_URL", "redis://fallback"),
        ("DATABASE_URL", "mysql://fallback"),
    ];
    assert_eq!(redis(&load("", &env, &[]).unwrap()), "fallback");
    assert_eq!(redis(&load("[redis]", &env, &[]).unwrap()), "fallback");
    assert_eq!(redis(&load(FILE, &env, &[]).unwrap()), "file");
    let unset = load("", &[("REDIS_URL", "")], &[]).unwrap();
    assert!(unset.redis.is_none());
    assert_eq!(unset.unwatched(), ["gateway", "redis", "database", "tick"]);
}

#[test]
fn a_secret_and_its_file_override_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("url");
    fs::write(&path, "redis://from-file\r\n").unwrap();
    let path = path.to_str().unwrap();

    let env = [("VIGIE__REDIS__URL_FILE", path)];
    assert_eq!(redis(&load(FILE, &env, &[]).unwrap()), "from-file");
    let file = format!("redis.url_file = {path:?}");
    assert_eq!(
        redis(&load(&file, &[], &["--redis=redis://flag"]).unwrap()),
        "flag"
    );
}

#[test]
fn a_secret_file_is_relative_to_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("token"), "abc123\n").unwrap();
    fs::write(dir.path().join("vigie.toml"), "admin.token_file = 'token'").unwrap();
    let settings = Settings::load(&Sources {
        file: Some(dir.path().join("vigie.toml")),
        ..Sources::default()
    });
    let Access::Bearer(token) = settings.unwrap().admin.access else {
        panic!("no token");
    };
    assert_eq!(token.expose_secret(), "abc123");
}

/// Parts of the message for each mistake in a variable or a flag.
#[test]
fn mistakes_name_the_variable_or_the_flag() {
    for (env, flags, expected) in [
        (
            &[("VIGIE__GATEWAY__THREADS", "0")][..],
            &[][..],
            &[
                "VIGIE__GATEWAY__THREADS",
                "gateway.threads: found \"0\"",
                "from 1 to 64",
            ][..],
        ),
        (
            &[("VIGIE__REDIS__ULR", "x")],
            &[],
            &[
                "unknown variable VIGIE__REDIS__ULR",
                "did you mean VIGIE__REDIS__URL?",
            ],
        ),
        (
            &[("VIGIE__REDIS", "x")],
            &[],
            &["unknown variable VIGIE__REDIS"],
        ),
        (
            &[("VIGIE__ADMIN__TOKEN", "")],
            &[],
            &["admin.token", "VIGIE__ADMIN__TOKEN"],
        ),
        (
            &[("REDIS_URL", "http://x")],
            &[],
            &["redis.url", "environment variable REDIS_URL", "redis:"],
        ),
        (
            &[("VIGIE__GATEWAY__LISTEN", "127.0.0.1:80")],
            &[],
            &["gateway.app is missing", "VIGIE__GATEWAY__LISTEN", "--app"],
        ),
        (
            &[],
            &["--app", "https://x"],
            &["gateway.app", "the flag --app", "TLS"],
        ),
        (
            &[],
            &["--tick", "/x", "--redis", "redis://x"],
            &["tick.queue", "the flag --tick"],
        ),
        (
            &[],
            &["--tick", "x"],
            &["tick needs redis", "the flag --tick"],
        ),
        (
            &[],
            &["--admin", "127.0.0.1:8080", "--app", "http://x:1"],
            &[
                "admin.listen and gateway.listen",
                "port 8080",
                "the flag --admin",
            ],
        ),
        (
            &[("VIGIE__LOG__FORMAT", "xml")],
            &["--log-format", "yaml"],
            &[
                "1 error",
                "--log-format",
                "\"auto\" or \"text\" or \"json\"",
            ],
        ),
    ] {
        let error = load("", env, flags)
            .expect_err(&format!("{env:?} {flags:?}"))
            .to_string();
        for expected in expected {
            assert!(error.contains(expected), "{expected:?} is not in\n{error}");
        }
    }
}

#[test]
fn a_mistake_in_one_place_names_the_other_place_too() {
    let error = load(FILE, &[("VIGIE__GATEWAY__LISTEN", "127.0.0.1:1")], &[]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("VIGIE__GATEWAY__LISTEN"), "{text}");
    assert!(text.contains("in the configuration file"), "{text}");
    assert_eq!(error.count(), 1);
}

#[test]
fn a_variable_that_is_not_text() {
    for name in ["VIGIE__REDIS__URL", "REDIS_URL"] {
        let error = Settings::load(&Sources {
            env: vec![(name.into(), OsString::from_vec(vec![0xff]))],
            ..Sources::default()
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("UTF-8"), "{error}");
    }
}
