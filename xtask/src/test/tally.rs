//! Parses the output of `cargo test`: counts of all test programs, and the names of failed tests.

/// The results so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    /// `program: test`, or a program that ended without a result.
    pub(crate) failures: Vec<String>,
    /// The program that writes the current lines.
    pub(crate) program: String,
    unfinished: bool,
    /// The number of failures of earlier programs.
    before: usize,
}

impl Tally {
    /// Parses one line of output.
    pub(crate) fn line(&mut self, line: &str) {
        let line = line.trim();
        if let Some(program) = line.strip_prefix("Running ") {
            self.begin(program.split(" (").next().unwrap_or(program), line);
        } else if let Some(library) = line.strip_prefix("Doc-tests ") {
            self.begin(library, "");
            self.program.push_str(" (documentation)");
        } else if let Some(name) = failed_test(line) {
            self.failures.push(format!("{}: {name}", self.program));
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.unfinished = false;
            self.passed += count(counts, " passed");
            self.failed += count(counts, " failed");
            self.ignored += count(counts, " ignored");
        }
    }

    /// Call at the end of a program's output, with the reason if the program did not succeed.
    pub(crate) fn end(&mut self, failure: Option<&str>) {
        let explained = self.failures.len() > self.before;
        let reason = match failure {
            Some(reason) if self.unfinished || !explained => reason,
            None if self.unfinished => "ended without a result",
            _ => return,
        };
        self.unfinished = false;
        self.failed += 1;
        self.failures.push(format!("{}: {reason}", self.program));
    }

    /// `program` is `unittests src/lib.rs` or `tests/x.rs`; the path in `line` contains the crate.
    fn begin(&mut self, program: &str, line: &str) {
        self.end(None);
        self.before = self.failures.len();
        self.unfinished = true;
        let path = line.rsplit_once('/').map_or("", |(_, file)| file);
        let binary = path.rsplit_once('-').map_or("", |(name, _)| name);
        self.program = match binary {
            "" => program.to_owned(),
            binary => format!("{binary} {program}"),
        };
    }
}

/// The name in `test NAME ... FAILED`.
fn failed_test(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("test ")?;
    let name = rest.strip_suffix("FAILED")?;
    name.trim_end().strip_suffix("...").map(str::trim_end)
}

/// The number before `what` in `ok. 3 passed; 0 failed; …`.
fn count(counts: &str, what: &str) -> u64 {
    let before = counts.split(what).next().unwrap_or_default();
    let number = before.rsplit([' ', ';']).next().unwrap_or_default();
    number.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.line(line));
        tally.end(None);
        tally
    }

    #[test]
    fn counts_and_failures_of_all_programs() {
        let tally = tally(
            "     Running unittests src/lib.rs (target/debug/deps/vigie_api-0a1b)
running 3 tests
test a::fine ... ok
test a::broken ... FAILED
test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running tests/proxy.rs (target/debug/deps/proxy-77ff)
test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s
   Doc-tests vigie_metrics
test crates/vigie-metrics/src/lib.rs - (line 6) ... FAILED
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        );
        assert_eq!((tally.passed, tally.failed, tally.ignored), (42, 2, 1));
        assert_eq!(
            tally.failures,
            [
                "vigie_api unittests src/lib.rs: a::broken",
                "vigie_metrics (documentation): crates/vigie-metrics/src/lib.rs - (line 6)"
            ]
        );
    }

    #[test]
    fn a_program_that_aborts_is_a_failure() {
        let tally = tally(
            "     Running tests/real/main.rs (target/debug/deps/real-1)
running 2 tests
error: test failed, to rerun pass `-p vigie-bullmq --test real`
     Running tests/size.rs (target/debug/deps/size-2)
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(
            tally.failures,
            ["real tests/real/main.rs: ended without a result"]
        );
    }

    #[test]
    fn a_failure_that_the_output_does_not_explain_is_reported() {
        let result = |result: &str, failure| {
            let mut tally = Tally::default();
            tally.line("     Running tests/size.rs (target/debug/deps/size-2)");
            result.lines().for_each(|line| tally.line(line));
            tally.end(failure);
            (tally.failed, tally.failures)
        };
        let passed = "test result: ok. 1 passed; 0 failed; 0 ignored";
        let failed = "test a ... FAILED\ntest result: FAILED. 0 passed; 1 failed; 0 ignored";
        assert_eq!(result(passed, None), (0, vec![]));
        let killed = "size tests/size.rs: killed".to_owned();
        assert_eq!(result(passed, Some("killed")), (1, vec![killed.clone()]));
        assert_eq!(result("", Some("killed")), (1, vec![killed]));
        let a = "size tests/size.rs: a".to_owned();
        assert_eq!(result(failed, Some("exit status: 101")), (1, vec![a]));
    }
}
