//! Places in styles.

use super::machine::in_url;
use super::place::{Place, State};

/// Follows a part of a style.
pub(super) fn follow(place: Place, text: &str) -> (Place, usize) {
    match place.state {
        State::CssComment => match text.find("*/") {
            Some(end) => (in_state(place, State::Css), end + 2),
            None => (place, text.len()),
        },
        State::CssLineComment => match text.find(['\n', '\u{c}', '\r']) {
            Some(end) => (in_state(place, State::Css), end),
            None => (place, text.len()),
        },
        State::CssString | State::CssUrl => in_string(place, text),
        _ => in_style(place, text),
    }
}

fn in_state(place: Place, state: State) -> Place {
    Place { state, ..place }
}

fn in_style(place: Place, text: &str) -> (Place, usize) {
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        match c {
            '(' if is_url(&text[..at]) => {
                let inside = rest.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
                let start = text.len() - inside.len();
                let (quote, skipped) = match inside.chars().next() {
                    Some(quote @ ('"' | '\'')) => (quote, 1),
                    _ => (')', 0),
                };
                let state = State::CssUrl;
                return (
                    Place {
                        state,
                        quote,
                        ..place
                    },
                    start + skipped,
                );
            }
            '/' if rest.starts_with('/') => {
                return (in_state(place, State::CssLineComment), at + 2);
            }
            '/' if rest.starts_with('*') => return (in_state(place, State::CssComment), at + 2),
            '"' | '\'' => {
                let state = State::CssString;
                return (
                    Place {
                        state,
                        quote: c,
                        ..place
                    },
                    at + 1,
                );
            }
            _ => {}
        }
    }
    (place, text.len())
}

/// Whether the text before a parenthesis ends with the word `url`.
fn is_url(before: &str) -> bool {
    let before = before.trim_end_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    let word =
        before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c) || !c.is_ascii()));
    word.take(1).any(|word| word.eq_ignore_ascii_case("url"))
}

fn in_string(place: Place, text: &str) -> (Place, usize) {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        let ends = match place.quote {
            ')' => matches!(c, '\t' | '\n' | '\u{c}' | '\r' | ' ' | ')'),
            quote => c == quote,
        };
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if ends => return (in_state(place, State::Css), at + c.len_utf8()),
            _ => {}
        }
    }
    (in_url(place, text), text.len())
}
