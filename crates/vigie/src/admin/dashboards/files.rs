//! The dashboards in a directory, as Grafana exports them. A file that is no dashboard is a problem, and the others are used.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use vigie_store::{Pattern, read_text};

/// The most files.
const FILES: usize = 100;
/// The most bytes of one file, and of all together.
const FILE_BYTES: u64 = 2 << 20;
const ALL_BYTES: usize = 8 << 20;

/// The memory that the dashboards take: those that are being sent, those that replace them, and a file that is being read, whose
/// JSON takes several times its length.
pub(crate) const MEMORY: u64 = 2 * ALL_BYTES as u64 + 6 * FILE_BYTES;

/// A dashboard.
#[derive(Clone, Debug)]
pub(super) struct Dashboard {
    /// The name of its file, without the ending.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) json: Bytes,
}

/// The content of the directory.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Sorted by name.
    pub(super) dashboards: Vec<Dashboard>,
    /// The files that cannot be used, with the place and the reason.
    pub(super) problems: Vec<String>,
}

impl Found {
    pub(super) fn get(&self, name: &str) -> Option<&Dashboard> {
        self.dashboards.iter().find(|one| one.name == name)
    }
}

/// Reads the files `*.json` of the directory. The names in `taken` belong to other pages. Blocks.
pub(super) fn read(directory: &Path, taken: &[String]) -> Found {
    let mut found = Found::default();
    let files = match list(directory) {
        Ok(files) => files,
        Err(reason) => {
            let problem = format!("page.dashboards: {}: {reason}", directory.display());
            found.problems.push(problem);
            return found;
        }
    };
    let mut bytes = 0;
    for path in files {
        match dashboard(&path, taken) {
            Ok(one) if bytes + one.json.len() > ALL_BYTES => {
                let most = ALL_BYTES >> 20;
                let problem = format!(
                    "{}: all dashboards together have more than {most} MiB",
                    path.display()
                );
                found.problems.push(problem);
            }
            Ok(one) => {
                bytes += one.json.len();
                found.dashboards.push(one);
            }
            Err(reason) => found.problems.push(format!("{}{reason}", path.display())),
        }
    }
    found
}

fn list(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let metadata = fs::metadata(directory).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("it is not a directory".to_owned());
    }
    let files = Pattern::new(directory, "*.json").files(FILES);
    files.map_err(|error| error.to_string())
}

/// The error is what follows the path of the file.
fn dashboard(path: &Path, taken: &[String]) -> Result<Dashboard, String> {
    let Some(name) = path.file_stem().and_then(OsStr::to_str) else {
        return Err(": its name is not UTF-8".to_owned());
    };
    if taken.iter().any(|one| one == name) {
        return Err(": a page of Vigie has this name; rename the file".to_owned());
    }
    let text = read_text(path, FILE_BYTES).map_err(|error| format!(": {error}"))?;
    let (title, json) = parse(text)?;
    Ok(Dashboard {
        title: title.unwrap_or_else(|| name.to_owned()),
        name: name.to_owned(),
        json,
    })
}

/// The fields that distinguish a dashboard from other JSON.
#[derive(Deserialize)]
struct Head {
    title: Option<String>,
    panels: Option<Vec<IgnoredAny>>,
    /// Of a dashboard in the answer of Grafana's API.
    dashboard: Option<Box<Head>>,
    /// Of dashboards before Grafana 5.
    rows: Option<IgnoredAny>,
    /// Of the resources of Grafana 12, in the classic model (`v1…`) or in the schema `v2…`.
    spec: Option<Box<Head>>,
}

fn parse(text: String) -> Result<(Option<String>, Bytes), String> {
    if !text.trim_start().starts_with('{') {
        return Err(":1:1: it is not a JSON object".to_owned());
    }
    let head: Head = serde_json::from_str(&text).map_err(|error| located(&error))?;
    match head {
        Head {
            panels: Some(_),
            title,
            ..
        } => Ok((title, text.into())),
        Head {
            dashboard: Some(inner),
            ..
        } if inner.panels.is_some() => Ok((inner.title, part(&text, "dashboard")?)),
        Head {
            spec: Some(inner), ..
        } if inner.panels.is_some() => Ok((inner.title, part(&text, "spec")?)),
        Head { spec: Some(_), .. } => Err(
            ":1:1: it is a dashboard in the schema v2 of Grafana 12; export it in the classic model"
                .to_owned(),
        ),
        Head { rows: Some(_), .. } => Err(
            ":1:1: it is a dashboard of Grafana 4 or earlier; import it in a newer one and export it again"
                .to_owned(),
        ),
        _ => Err(":1:1: it is not a dashboard of Grafana: it has no list \"panels\"".to_owned()),
    }
}

/// The value of a key, as JSON of its own.
fn part(text: &str, key: &str) -> Result<Bytes, String> {
    let mut whole: Value = serde_json::from_str(text).map_err(|error| located(&error))?;
    Ok(whole[key].take().to_string().into())
}

/// `:LINE:COLUMN: reason`.
fn located(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let reason = text.strip_suffix(&format!(" at line {line} column {column}"));
    format!(":{line}:{column}: {}", reason.unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(found: &Found) -> Vec<&str> {
        found
            .dashboards
            .iter()
            .map(|one| one.title.as_str())
            .collect()
    }

    #[test]
    fn dashboards_are_used_and_other_files_are_named_with_their_place() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        write("b.json", r#"{"title": "B", "panels": []}"#);
        write(
            "a.json",
            r#"{"meta": {}, "dashboard": {"title": "A", "panels": [{"id": 1}]}}"#,
        );
        write(
            "resource.json",
            r#"{"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard", "spec": {"title": "C", "panels": []}}"#,
        );
        write("untitled.json", r#"{"panels": []}"#);
        write("notes.txt", "no dashboard");
        write("broken.json", "{\"title\": \"C\",\n  \"panels\": [}");
        write("list.json", "[1]");
        write("other.json", r#"{"title": "D"}"#);
        write(
            "new.json",
            r#"{"apiVersion": "dashboard.grafana.app/v2", "spec": {"title": "E"}}"#,
        );
        write("old.json", r#"{"title": "F", "rows": []}"#);
        write("queues.json", r#"{"title": "G", "panels": []}"#);
        fs::create_dir(directory.path().join("directory.json")).unwrap();
        fs::write(directory.path().join("bytes.json"), [0xff]).unwrap();

        let found = read(directory.path(), &["queues".to_owned()]);
        assert_eq!(names(&found), ["A", "B", "C", "untitled"]);
        assert_eq!(
            found.get("a").unwrap().json,
            r#"{"panels":[{"id":1}],"title":"A"}"#
        );
        assert!(found.get("broken").is_none());
        let prefix = format!("{}/", directory.path().display());
        let problems: Vec<_> = found
            .problems
            .iter()
            .map(|one| one.strip_prefix(&prefix).unwrap())
            .collect();
        assert_eq!(
            problems,
            [
                "broken.json:2:14: expected value",
                "bytes.json: it is not UTF-8 text",
                "directory.json: it is not a regular file",
                "list.json:1:1: it is not a JSON object",
                "new.json:1:1: it is a dashboard in the schema v2 of Grafana 12; export it in the classic model",
                "old.json:1:1: it is a dashboard of Grafana 4 or earlier; import it in a newer one and export it again",
                "other.json:1:1: it is not a dashboard of Grafana: it has no list \"panels\"",
                "queues.json: a page of Vigie has this name; rename the file",
            ]
        );
    }

    #[test]
    fn the_number_and_the_size_of_files_are_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let missing = read(&directory.path().join("none"), &[]);
        assert!(missing.problems[0].contains("No such file"), "{missing:?}");

        // Five files of 1.9 MiB are more than all together may have.
        let filler = " ".repeat(1_900 << 10);
        for at in 0..5 {
            fs::write(
                directory.path().join(format!("{at}.json")),
                format!(r#"{{"panels": []{filler}}}"#),
            )
            .unwrap();
        }
        let found = read(directory.path(), &[]);
        assert_eq!(names(&found), ["0", "1", "2", "3"]);
        assert!(
            found.problems[0].ends_with("4.json: all dashboards together have more than 8 MiB"),
            "{:?}",
            found.problems
        );

        fs::write(directory.path().join("5.json"), format!("{filler}{filler}")).unwrap();
        let found = read(directory.path(), &[]);
        assert!(
            found.problems[1].ends_with("5.json: it has more than 2097152 bytes"),
            "{:?}",
            found.problems
        );

        for at in 0..FILES {
            fs::write(directory.path().join(format!("more-{at}.json")), "{}").unwrap();
        }
        let found = read(directory.path(), &[]);
        assert!(found.dashboards.is_empty());
        assert!(
            found.problems[0].ends_with("it matches more than 100 files"),
            "{:?}",
            found.problems
        );
    }
}
