//! Whether the state of alerts and notifications can be kept in its directory. Nothing is created or changed.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use vigie_config::Settings;

use super::{Row, Verdict, directory, on_a_thread};
use crate::alerting::{STATE_FILES, state_path};

/// Checks the directory, if there is one.
pub(super) async fn state(settings: &Settings, within: Duration) -> Option<Row> {
    let path = state_path(settings)?;
    let start = Instant::now();
    let place = path.display().to_string();
    let advice = "the disk or the server behind it hangs; rules are evaluated once it answers";
    Some(Row {
        what: "alerts",
        place,
        verdict: on_a_thread(within, advice, move || look(&path)).await,
        warns: false,
        took: start.elapsed(),
    })
}

fn look(path: &Path) -> Verdict {
    if !directory::writable(path, "alerts.path")?.exists {
        return Ok("can be made".to_owned());
    }
    match vigie_store::foreign(path, &STATE_FILES) {
        Ok(None) => Ok("writable".to_owned()),
        Ok(Some(file)) => {
            let advice = "name another directory as alerts.path; until then the state is kept in memory only";
            let text = format!(
                "Vigie did not write {}, and leaves it alone",
                file.display()
            );
            Err((text, advice.to_owned()))
        }
        Err(error) => {
            let advice = "let the user that Vigie runs as read and write there";
            Err((error.to_string(), advice.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_of_other_programs_are_reported() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert_eq!(look(path), Ok("writable".to_owned()));
        assert_eq!(look(&path.join("new")), Ok("can be made".to_owned()));
        assert!(!path.join("new").exists());
        for name in STATE_FILES {
            std::fs::write(path.join(name), "VIGIE-S\n").unwrap();
        }
        assert_eq!(look(path), Ok("writable".to_owned()));
        for name in STATE_FILES {
            let file = path.join(name);
            std::fs::write(&file, "another program's").unwrap();
            let (text, _) = look(path).unwrap_err();
            assert!(text.contains(name), "{text}");
            std::fs::remove_file(&file).unwrap();
        }
    }
}
