//! Whether learned routes can survive a restart, and which configured patterns have had no request. Nothing is
//! changed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::{Row, Verdict, on_a_thread};
use crate::routes_file::{self, State};

/// The maximum number of patterns named in one line.
const MOST_NAMED: usize = 5;

/// Checks the file, if there is one. `section` contains the settings of the source: its file and its patterns.
pub(super) async fn routes(
    section: &'static str,
    file: Option<PathBuf>,
    patterns: Vec<String>,
    history: Option<&Path>,
    within: Duration,
) -> Option<Row> {
    let start = Instant::now();
    let configured_in = file.is_some().then_some(section);
    let path = routes_file::path(file, history)?;
    let place = path.display().to_string();
    let look = move || verdict(&routes_file::look(&path, &patterns), configured_in);
    let advice = "the disk or the server behind it hangs; Vigie starts without the learned routes";
    Some(Row {
        what: "routes",
        warns: false,
        place,
        verdict: on_a_thread(within, advice, look).await,
        took: start.elapsed(),
    })
}

/// `configured_in`: the section that names the file.
fn verdict(state: &State, configured_in: Option<&str>) -> Verdict {
    let section = configured_in.unwrap_or("gateway");
    match state {
        // The row of the history reports whether its directory can be used.
        State::None { .. } if configured_in.is_none() => Ok("none saved yet".to_owned()),
        State::None { problem: None } => Ok("none saved yet".to_owned()),
        State::None {
            problem: Some(problem),
        } => {
            let advice = format!(
                "make the directory of {section}.routes_file, and let the user that Vigie runs as write there"
            );
            Err((problem.clone(), advice))
        }
        State::Unreadable(error) => {
            let advice = "let the user that Vigie runs as read and write the file";
            Err((error.clone(), advice.to_owned()))
        }
        State::Foreign => {
            let text = "it is not a file of learned routes, so Vigie leaves it alone";
            let advice = format!("name another path as {section}.routes_file");
            Err((text.to_owned(), advice))
        }
        State::Unusable(why) => {
            let advice = "nothing needs to be done: Vigie renames it, and learns the routes again";
            Err((why.to_string(), advice.to_owned()))
        }
        State::Saved(saved) => {
            let mut text = format!("{} learned, {} failing", saved.learned, saved.failing);
            let unrequested = &saved.unrequested;
            if !unrequested.is_empty() {
                let named = &unrequested[..unrequested.len().min(MOST_NAMED)];
                let more = match unrequested.len() - named.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                text += &format!("; no request yet for {}{more}", named.join(", "));
            }
            Ok(text)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tempfile::TempDir;

    use super::*;

    const SAVED: &str =
        "vigie-routes 1\nlearned 20 /orders/:id\nseries GET 200 /orders/:id\nend 1421b3f9\n";

    fn check(path: &Path, patterns: &[&str]) -> Verdict {
        let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        verdict(&routes_file::look(path, &patterns), Some("capture"))
    }

    #[test]
    fn each_state_of_the_file_has_a_verdict() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("routes");
        assert_eq!(check(&path, &[]), Ok("none saved yet".to_owned()));
        let problem = check(&directory.path().join("no/routes"), &[])
            .unwrap_err()
            .0;
        assert!(problem.contains("no"), "{problem}");

        std::fs::write(&path, SAVED).unwrap();
        assert_eq!(check(&path, &[]), Ok("1 learned, 0 failing".to_owned()));
        let patterns = [
            "GET /orders/:id",
            "POST /orders/:id",
            "/a",
            "/b",
            "/c",
            "/d",
            "/e",
        ];
        let found = check(&path, &patterns).unwrap();
        let unrequested = "no request yet for POST /orders/:id, /a, /b, /c, /d and 1 more";
        assert_eq!(found, format!("1 learned, 0 failing; {unrequested}"));

        std::fs::write(&path, &SAVED[..40]).unwrap();
        assert!(check(&path, &[]).unwrap_err().0.contains("checksum"));
        std::fs::write(&path, "listen = 1\n").unwrap();
        let (problem, advice) = check(&path, &[]).unwrap_err();
        assert!(problem.contains("leaves it alone"), "{problem}");
        assert_eq!(advice, "name another path as capture.routes_file");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "listen = 1\n");
    }
}
