//! Messages to the user. A closed pipe is not an error.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};

/// A line on standard output.
pub(crate) fn say(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

/// A line on standard error.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Whether the output is a terminal.
pub(crate) fn is_terminal() -> bool {
    stdout().is_terminal()
}

/// Whether the user can answer a question.
pub(crate) fn can_answer() -> bool {
    stdin().is_terminal()
}

/// Asks a question; an empty line or a yes agrees.
pub(crate) fn agrees(question: &str) -> bool {
    let mut out = stdout();
    let _ = write!(out, "{question} [Y/n] ");
    let _ = out.flush();
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    read.is_ok_and(|length| length > 0)
        && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

/// Overwrites the last line; the terminal truncates a long one instead of wrapping it.
pub(crate) fn say_over(line: &str) {
    let mut out = stdout();
    let _ = write!(out, "\r\x1b[?7l\x1b[2K{line}\x1b[?7h");
    let _ = out.flush();
}
