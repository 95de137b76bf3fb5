//! The results of the test programs.

use std::time::{Duration, SystemTime};

use super::job::Ended;
use super::tally::Tally;
use crate::say::say;

/// The number of test programs in the list of the slowest.
const SLOWEST: usize = 5;

/// The results so far.
#[derive(Default)]
pub(crate) struct Report {
    tally: Tally,
    took: Vec<(Duration, String)>,
}

impl Report {
    /// Prints the output of a program and counts its tests.
    pub(crate) fn add(&mut self, ended: Ended) {
        say(&ended.job.heading);
        say(&ended.output);
        let lines = [ended.job.heading.as_str()]
            .into_iter()
            .chain(ended.output.lines());
        lines.for_each(|line| self.tally.line(&plain(line)));
        let failure = match ended.status {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("ended with {status}")),
            Err(error) => Some(error),
        };
        self.tally.end(failure.as_deref());
        self.took.push((ended.took, self.tally.program.clone()));
    }

    /// Prints the output of the documentation tests and counts them.
    pub(crate) fn documentation(&mut self, output: &str) {
        say(output);
        output
            .lines()
            .for_each(|line| self.tally.line(&plain(line)));
        self.tally.end(None);
    }

    pub(crate) fn has_no_failure(&self) -> bool {
        self.tally.failures.is_empty()
    }

    /// Prints the failures, the slowest programs and the counts.
    pub(crate) fn print(&mut self, begun: SystemTime) {
        say("");
        self.took.sort_by(|a, b| b.cmp(a));
        if self.took.len() > SLOWEST {
            say("slowest test programs:");
            for (took, program) in self.took.iter().take(SLOWEST) {
                say(&format!("  {:>4} s  {program}", took.as_secs()));
            }
        }
        let Tally {
            passed,
            failed,
            ignored,
            failures,
            ..
        } = &self.tally;
        if !failures.is_empty() {
            say("failed tests:");
            for failure in failures {
                say(&format!("  {failure}"));
            }
        }
        let seconds = begun.elapsed().map_or(0, |passed| passed.as_secs());
        say(&format!("took {} min {} s", seconds / 60, seconds % 60));
        say(&format!(
            "{passed} passed, {failed} failed, {ignored} skipped"
        ));
    }
}

/// The line without colour codes (ECMA-48: `ESC [ … m`).
pub(crate) fn plain(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_codes_are_removed() {
        assert_eq!(
            plain("\u{1b}[1m\u{1b}[92m   Running\u{1b}[0m tests/x.rs"),
            "   Running tests/x.rs"
        );
        assert_eq!(
            plain("test a ... \u{1b}[31mFAILED\u{1b}[m"),
            "test a ... FAILED"
        );
    }
}
