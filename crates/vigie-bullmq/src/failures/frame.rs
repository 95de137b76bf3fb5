//! The first line of a stack trace, which names the place in the code.

use crate::failures::redact::redact;
use crate::failures::text;

/// Maximum length in bytes, before and after redaction.
const READ: usize = 512;
const LONGEST: usize = 160;

/// The first line of the last trace in the field `stacktrace` of a job; `None` if there is none.
pub(crate) fn frame(stacktrace: &[u8], redacts: bool) -> Option<String> {
    let traces: Vec<String> = serde_json::from_slice(stacktrace).ok()?;
    let line = traces.iter().rev().find_map(|trace| first(trace))?;
    let line = text::line(line.as_bytes(), READ);
    let line = if redacts { redacted(&line) } else { line };
    Some(text::shortened(line, LONGEST))
}

/// The line of the place in which the error was raised: JavaScript writes it first, Python last.
fn first(trace: &str) -> Option<&str> {
    let lines = || trace.lines().map(str::trim);
    let of_javascript = lines().find(|line| line.starts_with("at "));
    of_javascript.or_else(|| lines().rfind(|line| line.starts_with("File \"")))
}

/// Keeps the line and the column at the end.
fn redacted(line: &str) -> String {
    let bare = line.trim_end_matches(')');
    let name = bare.trim_end_matches(|char: char| char.is_ascii_digit() || char == ':');
    let (name, place) = line.split_at(name.len());
    match place.starts_with(':') && place.len() <= 20 {
        true => redact(name) + place,
        false => redact(line),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn of(traces: &[&str]) -> Option<String> {
        frame(&serde_json::to_vec(traces).unwrap(), true)
    }

    #[test]
    fn the_place_in_the_code_is_found() {
        let old = "Error: a\n    at old (/app/a.js:1:2)";
        for (trace, expected) in [
            (
                "Error: no user 7\n    at deliver (/app/src/mail.js:10:11)\n    at b (/app/b.js:1:1)",
                "at deliver (/app/src/mail.js:10:11)",
            ),
            (
                "TypeError: x\n    at async file:///app/a.mjs:3:4",
                "at async file:///app/a.mjs:3:4",
            ),
            (
                "Error\n    at C (/app/node_modules/.pnpm/pg@8.11.3/pg/lib/client.js:5:1)",
                "at C (/app/node_modules/.pnpm/pg@<number>/pg/lib/client.js:5:1)",
            ),
            (
                "Traceback (most recent call last):\n  File \"/app/a.py\", line 3, in run\n  File \"/app/b.py\", line 14, in send\nValueError: no",
                "File \"/app/b.py\", line 14, in send",
            ),
        ] {
            assert_eq!(of(&[old, trace]).as_deref(), Some(expected));
        }
        assert_eq!(
            of(&[old, "Error without a trace"]).as_deref(),
            Some("at old (/app/a.js:1:2)")
        );
        assert_eq!(of(&["Error: a"]), None);
        assert_eq!(frame(b"at a (b.js:1:1)", true), None);
        assert_eq!(frame(b"[1, null]", true), None);
    }

    #[test]
    fn names_of_files_are_redacted() {
        let trace = "at run (/home/bob@example.org/job-8f14e45fceea/a.js:1:2)";
        let expected = "at run (<email>/job-<hex>/a.js:1:2)";
        assert_eq!(of(&[trace]).as_deref(), Some(expected));
        let whole = frame(&serde_json::to_vec(&[trace]).unwrap(), false);
        assert_eq!(whole.as_deref(), Some(trace));
    }

    proptest! {
        #[test]
        fn any_trace_is_taken(trace: String, end in "[0-9:)]{0,40}") {
            let long = format!("at {trace}{end}");
            for trace in [trace, long] {
                let found = of(&[&trace]);
                prop_assert!(found.is_none_or(|line| line.len() <= LONGEST));
            }
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = frame(&bytes, true);
        }
    }
}
