//! The image. No test builds it, because that needs a container engine; the Dockerfile is compared with the project.

use cargo_metadata::MetadataCommand;

use crate::support::{read, root};

/// The arguments of every line of the Dockerfile with this instruction.
fn instructions(name: &str) -> Vec<String> {
    let text = read("Dockerfile");
    let lines = text.lines().filter_map(|line| line.strip_prefix(name));
    lines.map(|rest| rest.trim().to_owned()).collect()
}

/// Whether this is a SHA-256 digest in hexadecimal.
pub(crate) fn is_digest(text: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 64 && text.bytes().all(is_hex)
}

/// The user that Vigie runs as.
pub(crate) fn user() -> u64 {
    let [user] = instructions("USER ").try_into().unwrap();
    let (user, group) = user.split_once(':').unwrap();
    assert_eq!(user, group);
    user.parse().unwrap()
}

#[test]
fn it_is_built_by_the_compiler_that_the_workspace_names() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let mut packages = metadata.packages.iter();
    let vigie = packages.find(|package| *package.name == "vigie").unwrap();
    let version = vigie.rust_version.as_ref().unwrap();
    let image = format!("rust:{}.{}-slim-bookworm", version.major, version.minor);
    let [build, last] = instructions("FROM ").try_into().unwrap();
    let (name, digest) = build.split_once("@sha256:").unwrap();
    assert_eq!(name, image);
    let digest = digest.strip_suffix(" AS build").unwrap();
    assert!(is_digest(digest), "{digest}");
    assert_eq!(last, "scratch");
}

#[test]
fn it_runs_unprivileged_and_contains_no_other_program() {
    assert!(user() >= 1000);
    // The second stage.
    let text = read("Dockerfile");
    let (_, image) = text.split_once("\nFROM scratch\n").unwrap();
    let lines = image.lines().filter(|line| !line.starts_with('#'));
    let copied: Vec<_> = lines.filter(|line| line.starts_with("COPY")).collect();
    assert_eq!(
        copied,
        [
            "COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
            "COPY --from=build /vigie /vigie"
        ]
    );
    assert!(!image.contains("\nRUN"));
}

#[test]
fn the_builder_gets_every_file_that_cargo_needs() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let ignored = read(".dockerignore");
    let ignored: Vec<_> = ignored
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    for package in metadata.packages {
        let path = package
            .manifest_path
            .as_std_path()
            .strip_prefix(root())
            .unwrap();
        let first = path
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        assert!(!ignored.contains(&first), "{first}");
    }
    assert!(ignored.contains(&"target") && ignored.contains(&".git"));
}
