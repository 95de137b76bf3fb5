//! Renders the server's error message with a caret at the error in the query.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// The server's message, and the query with a caret when the message names a line and a column.
pub(crate) fn render(expr: &str, message: &str, coloured: bool) -> String {
    let renderer = match coloured {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let Some((span, message)) = place(expr, message) else {
        return renderer.render(&[Group::with_title(Level::ERROR.primary_title(message))]);
    };
    let marked = Snippet::source(expr).annotation(AnnotationKind::Primary.span(span));
    renderer.render(&[Level::ERROR.primary_title(message).element(marked)])
}

/// Splits `1:23: parse error: MESSAGE` into the byte range that it points at and the message.
fn place<'a>(expr: &str, message: &'a str) -> Option<(std::ops::Range<usize>, &'a str)> {
    let text = message
        .strip_prefix("invalid parameter \"query\": ")
        .unwrap_or(message);
    let (line, rest) = text.split_once(':')?;
    let (column, rest) = rest.split_once(": ")?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let mut start = 0;
    let mut lines = expr.split_inclusive('\n');
    for _ in 1..line {
        start += lines.next()?.len();
    }
    let line = lines.next().unwrap_or_default();
    let at = line
        .char_indices()
        .map(|(at, _)| at)
        .nth(column.checked_sub(1)?);
    start += at.unwrap_or(line.trim_end_matches('\n').len());
    let rest = rest.strip_prefix("parse error: ").unwrap_or(rest);
    Some((start..start + word(&expr[start..]), rest))
}

/// The length of the word that a text starts with, or of its first character.
fn word(text: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.');
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    match end {
        0 => text.chars().next().map_or(0, char::len_utf8),
        end => end,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_caret_under_the_word() {
        for (expr, message, marked, said) in [
            (
                "sum(up) by job",
                "invalid parameter \"query\": 1:12: unexpected \"job\", expected \"(\" after by",
                "job",
                "unexpected \"job\", expected \"(\" after by",
            ),
            (
                "sum(",
                "invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis",
                "",
                "unclosed left parenthesis",
            ),
            ("a +\n  é * > b", "2:7: no", ">", "no"),
            ("a", "9:9: nowhere", "", ""),
            ("a", "1:0: nowhere", "", ""),
            ("a", "the query needs more than 10 samples", "", ""),
        ] {
            match place(expr, message) {
                Some((span, rest)) => assert_eq!((&expr[span], rest), (marked, said), "{message}"),
                None => assert_eq!(said, "", "{message}"),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_place_panics(expr in "(?s).{0,20}", line in 0..5_usize, column in 0..30_usize) {
            let message = format!("{line}:{column}: x");
            proptest::prop_assert!(render(&expr, &message, false).contains("error"));
        }
    }
}
