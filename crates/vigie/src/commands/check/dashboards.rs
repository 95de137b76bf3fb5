//! Whether the dashboards of the user can be shown. Nothing is changed.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::{Row, Verdict, on_a_thread};
use crate::admin::dashboards;

/// Reads the directory.
pub(super) async fn dashboards(directory: &Path, within: Duration) -> Row {
    let start = Instant::now();
    let path = directory.to_owned();
    let advice = "the disk or the server behind it hangs; the page shows the built-in dashboards";
    let verdict = on_a_thread(within, advice, move || look(&path)).await;
    Row {
        what: "dashboards",
        place: directory.display().to_string(),
        verdict,
        warns: true,
        took: start.elapsed(),
    }
}

fn look(directory: &Path) -> Verdict {
    let (count, problems) = dashboards::look(directory);
    match problems.first() {
        None if count == 1 => Ok("1 dashboard".to_owned()),
        None => Ok(format!("{count} dashboards")),
        Some(first) => {
            let text = match problems.len() {
                1 => first.clone(),
                count => format!("{first}, and {} more", count - 1),
            };
            let advice = "correct page.dashboards or the file; the page shows the other dashboards";
            Err((text, advice.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn unusable_files_are_reported() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        assert_eq!(look(directory.path()), Ok("0 dashboards".to_owned()));
        std::fs::write(at("a.json"), r#"{"title": "A", "panels": []}"#).unwrap();
        assert_eq!(look(directory.path()), Ok("1 dashboard".to_owned()));
        std::fs::write(at("b.json"), "[]").unwrap();
        std::fs::write(at("c.json"), "[]").unwrap();
        let (text, _) = look(directory.path()).unwrap_err();
        assert!(
            text.contains("b.json") && text.ends_with("and 1 more"),
            "{text}"
        );
        let (text, _) = look(&at("none")).unwrap_err();
        assert!(text.contains("No such file"), "{text}");
    }
}
