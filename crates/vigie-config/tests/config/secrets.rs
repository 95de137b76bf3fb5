//! No secret is ever shown: neither in a message, nor in a quoted source line, nor in `Debug`.

#![allow(clippy::unwrap_used)]

use std::fs;

use proptest::prelude::*;
use vigie_config::{Flag, Settings, Sources};

const SECRET: &str = "hunter2";

/// Files with `SECRET` in place of secrets, most of them with a mistake nearby.
const FILES: &[&str] = &[
    "[redis]\nurl = \"redis://:SECRET@h\"",
    "[redis]\nurl = \"http://:SECRET@h\"",
    "[redis]\nurl = \"redis://:SECRET@h\" # url = \"redis://:hunter2@h\"\nurl_file = \"x\"",
    "redis = { url = \"redis://:SECRET@h\", max_queues = 0, tiemout = \"1s\" }",
    "redis.url = 'redis://:SECRET@h'\nredis.url = 'redis://:SECRET@h'",
    "[redis]\nurl = [\"SECRET\"]",
    "[redis]\nurl = { a = \"SECRET\" }",
    "[[redis]]\nurl = \"redis://:SECRET@h\"\nmax_queues = 0",
    "[redis]\nurl = \"redis://:SECRET@h\nmax_queues = 0",
    "[redis\nurl = \"redis://:SECRET@h\"",
    "[redis]\nurl = redis://:SECRET@h",
    "[redis]\nurl = \"\"\"\nredis://:SECRET@h",
    "[redis]\nurl = '''\nSECRET\n'''\nmax_queues = 0",
    "redis = { url = \"redis://:SECRET@h\", max_queues = 1 1 }",
    "[redsi]\nurl = \"redis://:SECRET@h\"",
    "[redis]\nulr = \"redis://:SECRET@h\"",
    "[database]\nurl = \"mongodb://:SECRET@h\"\nrelogin_every = \"0s\"",
    "[database]\nurl = \"postgres://u:SECRET#/@h:port/x\"",
    "[admin]\ntoken = \"a b SECRET\"",
    "[admin]\ntoken = \"SECRET\"\nusername = \"u\"",
    "[admin]\npassword = \"SECRET\"",
    "[admin]\npasword = \"SECRET\"\nusername = \"u\"",
    "[admin]\nusername = \"u\"\npassword = \"SECRET\\q\"",
    "admin = \"SECRET\"",
    "redis = [\"SECRET\"]",
    "[log]\nformat = \"\"\"\n[redis]\nurl = \"redis://:SECRET@h\"",
];

/// Files with secrets in the wrong keys: text that looks like a secret is not shown there either.
const ASTRAY: &[&str] = &[
    "[gateway]\napp = \"http://u:SECRET@h\"",
    "[gateway]\napp = \"http://h\nthreads = 0 # SECRET",
    "[gateway]\nroutes = [\"http://u:SECRET@h\", 3]",
    "[gateway]\nthreads = 0 # the password is SECRET",
];

fn everything_shown(sources: &Sources) -> String {
    match Settings::load(sources) {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => format!("{error}\n{error:?}\n{}", error.render(true)),
    }
}

fn shown_for_file(text: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vigie.toml");
    fs::write(&path, text).unwrap();
    everything_shown(&Sources {
        file: Some(path),
        ..Sources::default()
    })
}

#[test]
fn from_a_file() {
    for file in FILES.iter().chain(ASTRAY) {
        let file = file.replace("SECRET", SECRET);
        let shown = shown_for_file(&file);
        assert!(!shown.contains(SECRET), "{file}\n----\n{shown}");
    }
}

#[test]
fn most_of_those_files_are_wrong() {
    let wrong = FILES
        .iter()
        .filter(|file| Settings::from_toml(file).is_err());
    assert!(wrong.count() >= FILES.len() - 1);
}

proptest! {
    /// A secret may contain characters that break a TOML text, and be reported in parts.
    #[test]
    fn from_a_file_with_hostile_secrets(
        file in proptest::sample::select(FILES),
        before in "[a-z0-9\"'#%/:@?=\\[\\]{},é \\\\]{0,12}",
        after in "[a-z0-9\"'#%/:@?=\\[\\]{},é \\\\]{0,12}",
    ) {
        let file = file.replace("SECRET", &format!("{before}{SECRET}{after}"));
        let shown = shown_for_file(&file);
        prop_assert!(!shown.contains(SECRET), "{}\n----\n{}", file, shown);
    }
}

#[test]
fn from_variables_flags_and_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    for value in [
        "hunter2",
        "redis://:hunter2@h",
        "mongodb://u:hunter2@h",
        "a hunter2",
        "redis://:hunter2@h:x",
        "\u{7f}hunter2",
        "hunter2\nhunter2",
    ] {
        fs::write(&path, value).unwrap();
        for key in Settings::keys() {
            let variable = format!("VIGIE__{}", key.to_uppercase().replace('.', "__"));
            let is_secret = ["url", "token", "password"]
                .iter()
                .any(|name| key.ends_with(name));
            let is_file = key.ends_with("_file");
            let given = if is_file {
                path.to_str().unwrap()
            } else {
                value
            };
            // Other values may be quoted, unless they look like a secret.
            if !is_secret && !is_file && !value.contains(['@', '\n']) {
                continue;
            }
            for other in ["0", "hunter2@"] {
                let shown = everything_shown(&Sources {
                    env: vec![
                        (variable.clone().into(), given.into()),
                        ("VIGIE__ADMIN__USERNAME".into(), other.into()),
                    ],
                    ..Sources::default()
                });
                let shown = shown.replace("username: \"hunter2@\"", "");
                assert!(
                    !shown.contains("hunter2"),
                    "{variable}={value:?}\n----\n{shown}"
                );
            }
        }
        for (name, key) in [("--redis", "redis.url"), ("--database", "database.url")] {
            let shown = everything_shown(&Sources {
                env: vec![
                    ("REDIS_URL".into(), value.into()),
                    ("DATABASE_URL".into(), value.into()),
                ],
                flags: vec![Flag {
                    name,
                    key,
                    value: Some(value.into()),
                }],
                ..Sources::default()
            });
            assert!(
                !shown.contains("hunter2"),
                "{name} {value:?}\n----\n{shown}"
            );
        }
    }
}

/// Addresses with a password, whole, truncated or encoded, as given in a wrong key.
const ADDRESSES: &[&str] = &[
    "redis://u:SECRET@h",
    "postgres://u:SECRET@h:5432/d?x=1",
    "redis://:SECRET@h",
    "redis://u:SECRET",
    "u:SECRET@h:6379",
    "redis%3A%2F%2Fu%3ASECRET%40h",
    "host=h password=SECRET",
    // The parts of a password without percent-encoding are parsed as a path, a parameter or a fragment.
    "redis://u:a?SECRET=b@h",
    "postgres://u:a?b=SECRET@h",
    "redis://u:1/SECRET@h",
    "redis://u:a#SECRET@h",
    "redis://u:a SECRET b@h",
];

/// A place where a value can be given.
#[derive(Clone, Copy, Debug)]
enum Place {
    Variable,
    Flag,
    Path,
    NameOfVariable,
    File(fn(key: &str, value: &str, quoted: &str) -> String),
}

const PLACES: [Place; 11] = [
    Place::Variable,
    Place::Flag,
    Place::Path,
    Place::NameOfVariable,
    Place::File(|key, _, quoted| format!("{key} = {quoted}")),
    Place::File(|key, _, quoted| format!("{key} = [{quoted}, 1]")),
    Place::File(|key, _, quoted| format!("{key} = {quoted}\nx =")),
    Place::File(|key, _, quoted| format!("{key} = {{ {quoted} = {quoted} }}")),
    Place::File(|_, _, quoted| format!("{quoted} = 1")),
    Place::File(|_, _, quoted| format!("[{quoted}]")),
    Place::File(|key, value, _| format!("{key} = {value}")),
];

/// The errors about a value in this place.
fn errors_about(key: &str, value: &str, place: Place) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut sources = Sources::default();
    match place {
        Place::Variable => {
            let variable = format!("VIGIE__{}", key.to_uppercase().replace('.', "__"));
            sources.env = vec![(variable.into(), value.into())];
        }
        Place::Flag => {
            sources.flags = vec![Flag {
                name: "--flag",
                key: Box::leak(key.to_owned().into_boxed_str()),
                value: Some(value.to_owned()),
            }];
        }
        Place::Path => sources.file = Some(value.into()),
        Place::NameOfVariable => {
            sources.env = vec![(format!("VIGIE__{value}").into(), "1".into())];
        }
        Place::File(text) => {
            let path = dir.path().join("vigie.toml");
            fs::write(&path, text(key, value, &toml_string(value))).unwrap();
            sources.file = Some(path);
        }
    }
    let error = Settings::load(&sources).err();
    match Settings::load_to_serve(&sources) {
        Ok(settings) => format!("{error:?} {:?}", settings.unusable),
        Err(to_serve) => format!("{error:?} {to_serve:?}"),
    }
}

fn toml_string(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether the key takes a secret, or the path of a file with one.
fn is_for_a_secret(key: &str) -> bool {
    let key = key.strip_suffix("_file").unwrap_or(key);
    ["url", "token", "password"]
        .iter()
        .any(|name| key.ends_with(name))
}

#[test]
fn an_address_in_the_wrong_key_is_not_shown() {
    for key in Settings::keys() {
        for address in ADDRESSES {
            for place in PLACES {
                let shown = errors_about(&key, &address.replace("SECRET", SECRET), place);
                assert!(!shown.contains(SECRET), "{key} = {address}\n----\n{shown}");
            }
        }
    }
}

#[test]
fn a_password_in_the_place_of_a_path_is_not_shown() {
    for key in Settings::keys().iter().filter(|key| is_for_a_secret(key)) {
        for password in [SECRET, "/hunter2", "+/hunter2/xyz", "a hunter2"] {
            let variable = format!("VIGIE__{}", key.to_uppercase().replace('.', "__"));
            let file = format!("{key} = {password:?}");
            let in_variable = everything_shown(&Sources {
                env: vec![(variable.into(), password.into())],
                ..Sources::default()
            });
            let shown = shown_for_file(&file) + &in_variable;
            assert!(!shown.contains(SECRET), "{file}\n----\n{shown}");
        }
    }
}

proptest! {
    #[test]
    fn no_random_password_is_shown(
        key in proptest::sample::select(Settings::keys()),
        address in proptest::sample::select(ADDRESSES),
        place in proptest::sample::select(&PLACES[..]),
        before in "[!-~é]{0,8}",
        after in "[!-~é]{0,8}",
    ) {
        // An address truncated within its password may look like one of another host.
        let is_cut = address == "redis://u:SECRET";
        let is_like_host = before.contains(['@', '%']) || after.contains(['@', '%'])
            || before.starts_with(|char: char| char.is_ascii_digit());
        prop_assume!(!is_cut || !is_like_host);
        let shown = errors_about(&key, &address.replace("SECRET", &format!("{before}hunter2{after}")), place);
        prop_assert!(!shown.contains(SECRET), "{} = {}\n----\n{}", key, address, shown);
    }
}

#[test]
fn files_with_credentials_that_others_can_read_are_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (config, secret) = (dir.path().join("vigie.toml"), dir.path().join("secret"));
    fs::write(&secret, "redis://:hunter2@h").unwrap();
    let exposed = |text: &str, mode| {
        fs::write(&config, text).unwrap();
        for path in [&config, &secret] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let settings = Settings::load(&Sources {
            file: Some(config.clone()),
            ..Sources::default()
        });
        let exposed = settings.unwrap().exposed.into_iter();
        exposed
            .map(|exposed| exposed.to_string())
            .collect::<Vec<_>>()
    };
    for text in [
        "[redis]\nurl = \"redis://:hunter2@h\"",
        "[admin]\ntoken = \"hunter2\"",
        "[database]\nurl = \"postgres://u@h/d?password=hunter2\"",
    ] {
        assert!(exposed(text, 0o600).is_empty(), "{text}");
        for mode in [0o644, 0o640, 0o604] {
            let [warning] = &exposed(text, mode)[..] else {
                panic!("{text}");
            };
            let advice = format!("chmod 600 {}", config.display());
            assert!(warning.contains(&advice), "{warning}");
            assert!(!warning.contains(SECRET), "{warning}");
        }
    }
    let by_file = "[redis]\nurl_file = \"secret\"";
    let [warning] = &exposed(by_file, 0o644)[..] else {
        panic!("{by_file}");
    };
    assert!(warning.contains(secret.to_str().unwrap()), "{warning}");
    // No credentials, no warning.
    for text in [
        "",
        "[redis]\nurl = \"redis://127.0.0.1:6379\"",
        "[database]\nurl = \"sqlite:/x\"",
    ] {
        assert!(exposed(text, 0o644).is_empty(), "{text}");
    }
    // Both the configuration file and the file that it names.
    let both = "[redis]\nurl_file = \"secret\"\n[admin]\ntoken = \"hunter2\"";
    assert_eq!(exposed(both, 0o644).len(), 2);
}

#[test]
fn a_password_with_commas_in_a_list_is_not_shown() {
    for key in [
        "admin.hosts",
        "gateway.routes",
        "gateway.trusted_proxies",
        "redis.databases",
    ] {
        for password in ["a,hunter2", "hunter2,a", "a,hunter2,b"] {
            for place in PLACES {
                let shown = errors_about(key, &format!("redis://u:{password}@h"), place);
                assert!(!shown.contains(SECRET), "{key} = {password}\n----\n{shown}");
            }
        }
    }
}
