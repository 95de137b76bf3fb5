//! Talking to the person at the terminal. A closed pipe is no reason to stop.

use std::io::{IsTerminal, Write, stderr, stdin, stdout};

/// A line on standard output.
pub(crate) fn say(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

/// A line on standard error.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Whether somebody watches.
pub(crate) fn is_watched() -> bool {
    stdout().is_terminal()
}

/// Whether somebody can answer a question.
pub(crate) fn can_answer() -> bool {
    stdin().is_terminal()
}

/// Writes over the line that was written last; a long one is cut by the terminal, not wrapped.
pub(crate) fn say_over(line: &str) {
    let mut out = stdout();
    let _ = write!(out, "\r\x1b[?7l\x1b[2K{line}\x1b[?7h");
    let _ = out.flush();
}
