//! Route patterns: `[METHOD] /users/:id`.

use std::{fmt, str::FromStr};

use super::path::{Path, decoded};

/// The methods a pattern may name (RFC 9110 and PATCH).
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// The longest pattern, in bytes: it becomes a label value. No learned route is longer.
const LONGEST: usize = 512;

/// A route that the user configured, such as `GET /users/:id`.
///
/// A segment is a literal, a parameter (`:id` or `{id}`, any one segment that is not empty) or, in last place, a tail
/// (`*` or `*rest`, one or more segments). Without a method it matches all of them. Names only serve the reader: the
/// label is the path as written.
///
/// ```text
/// /users/:id    GET /users/{id}/posts    /static/*    POST /files/*path
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) method: Option<&'static str>,
    pub(super) label: String,
    pub(super) pieces: Vec<Piece>,
}

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Piece {
    /// These bytes, percent-decoded.
    Literal(Box<[u8]>),
    /// Any one segment.
    Parameter,
    /// The rest of the path; always the last piece.
    Tail,
}

/// Why a configured pattern was refused: which one, where in it, what was found there and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("route `{pattern}`: {fault}")]
pub struct PatternError {
    pattern: String,
    index: usize,
    fault: Fault,
}

impl PatternError {
    pub(super) fn new(pattern: &str, index: usize, fault: Fault) -> Self {
        Self {
            pattern: pattern.to_owned(),
            index,
            fault,
        }
    }

    /// The place of the pattern in the list, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The byte of the pattern where the error is; 0 if it is about the whole pattern.
    pub fn at(&self) -> usize {
        self.fault.at()
    }

    /// The found and the accepted text, without the pattern.
    pub fn reason(&self) -> String {
        self.fault.to_string()
    }
}

/// An error in a pattern; `at` counts bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("byte {at}: `{found}` is not a method; accepted before the path: {}", METHODS.join(", "))]
    Method { found: String, at: usize },
    #[error(
        "byte {at}: found {}; a path must stand here and begin with `/`",
        quoted(found)
    )]
    NoPath { found: String, at: usize },
    #[error(
        "byte {at}: found `//`; something must stand between two slashes (they are never merged)"
    )]
    EmptySegment { at: usize },
    #[error(
        "byte {at}: found `{found}`; a parameter is a whole segment, `:name` or `{{name}}`, \
         its name of letters, digits and `_` (in braces also `-` and `.`)"
    )]
    Parameter { found: String, at: usize },
    #[error(
        "byte {at}: found `{found}`; `*` (or `*name`) must be the last segment and stand alone in it; \
         one segment is `:name`"
    )]
    Tail { found: String, at: usize },
    #[error(
        "byte {at}: found {found:?}; a path holds no blanks, control characters, quotes, angle brackets, \
         `\\`, `?` or `#` (write them as %XX; the query is not matched)"
    )]
    Character { found: char, at: usize },
    #[error("byte {LONGEST}: found {length} bytes; at most {LONGEST} are accepted")]
    TooLong { length: usize },
    #[error("it matches the same requests as `{first}`; keep one of them")]
    Duplicate { first: String },
}

impl Fault {
    fn at(&self) -> usize {
        match self {
            Self::Method { at, .. }
            | Self::NoPath { at, .. }
            | Self::EmptySegment { at }
            | Self::Parameter { at, .. }
            | Self::Tail { at, .. }
            | Self::Character { at, .. } => *at,
            Self::TooLong { .. } => LONGEST,
            Self::Duplicate { .. } => 0,
        }
    }
}

fn quoted(found: &str) -> String {
    match found {
        "" => "the end".to_owned(),
        other => format!("`{other}`"),
    }
}

impl FromStr for Pattern {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.len() > LONGEST {
            return Err(Fault::TooLong { length: text.len() });
        }
        let (method, start) = method(text)?;
        let written = &text[start..];
        if !written.starts_with('/') {
            return Err(Fault::NoPath {
                found: written.to_owned(),
                at: start,
            });
        }
        if let Some((offset, found)) = written.char_indices().find(|(_, c)| is_forbidden(*c)) {
            return Err(Fault::Character {
                found,
                at: start + offset,
            });
        }
        let label = match written.strip_suffix('/') {
            None | Some("") => written,
            Some(without_slash) => without_slash,
        };
        Ok(Self {
            method,
            label: label.to_owned(),
            pieces: pieces(written, start)?,
        })
    }
}

/// The method, if one is named, and where the path begins.
fn method(text: &str) -> Result<(Option<&'static str>, usize), Fault> {
    let Some((word, rest)) = text.split_once(' ').filter(|_| !text.starts_with('/')) else {
        return Ok((None, 0));
    };
    match METHODS.iter().find(|method| **method == word) {
        Some(method) => Ok((
            Some(method),
            text.len() - rest.trim_start_matches(' ').len(),
        )),
        None => Err(Fault::Method {
            found: word.to_owned(),
            at: 0,
        }),
    }
}

fn pieces(written: &str, start: usize) -> Result<Vec<Piece>, Fault> {
    let mut at = start;
    let mut segments = Path::parse(written)
        .into_iter()
        .flat_map(Path::segments)
        .peekable();
    let mut pieces = Vec::new();
    while let Some(segment) = segments.next() {
        at += 1; // the slash before it
        pieces.push(piece(segment, at, segments.peek().is_none())?);
        at += segment.len();
    }
    Ok(pieces)
}

fn piece(segment: &str, at: usize, last: bool) -> Result<Piece, Fault> {
    let found = || segment.to_owned();
    let braced = || segment.strip_prefix('{')?.strip_suffix('}');
    if segment.is_empty() {
        return Err(Fault::EmptySegment { at });
    }
    if let Some(name) = segment.strip_prefix('*')
        && last
        && name.chars().all(is_name)
    {
        return Ok(Piece::Tail);
    }
    if segment.contains('*') {
        return Err(Fault::Tail { found: found(), at });
    }
    let named = match (segment.strip_prefix(':'), braced()) {
        (Some(name), _) => !name.is_empty() && name.chars().all(is_name),
        (None, Some(name)) => {
            !name.is_empty() && name.chars().all(|c| is_name(c) || c == '-' || c == '.')
        }
        (None, None) if segment.contains(['{', '}']) => false,
        (None, None) => return Ok(Piece::Literal(decoded(segment).collect())),
    };
    match named {
        true => Ok(Piece::Parameter),
        false => Err(Fault::Parameter { found: found(), at }),
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_forbidden(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '<' | '>' | '"' | '\\')
}

/// As it can be parsed again.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.method {
            Some(method) => write!(f, "{method} {}", self.label),
            None => f.write_str(&self.label),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn accepts() {
        use Piece::{Parameter, Tail};
        let literal = |text: &str| Piece::Literal(text.as_bytes().into());
        for (text, method, label, pieces) in [
            ("/", None, "/", vec![]),
            ("/users/", None, "/users", vec![literal("users")]),
            (
                "GET /users/:id",
                Some("GET"),
                "/users/:id",
                vec![literal("users"), Parameter],
            ),
            (
                "POST   /a/{b.c-d}",
                Some("POST"),
                "/a/{b.c-d}",
                vec![literal("a"), Parameter],
            ),
            (
                "/static/*",
                None,
                "/static/*",
                vec![literal("static"), Tail],
            ),
            ("/*rest", None, "/*rest", vec![Tail]),
            (
                "/books:batchGet",
                None,
                "/books:batchGet",
                vec![literal("books:batchGet")],
            ),
            (
                "/caf%C3%A9/menu",
                None,
                "/caf%C3%A9/menu",
                vec![literal("café"), literal("menu")],
            ),
            ("/café", None, "/café", vec![literal("café")]),
        ] {
            let pattern: Pattern = text.parse().unwrap();
            assert_eq!(pattern.method, method, "{text}");
            assert_eq!(pattern.label, label, "{text}");
            assert_eq!(pattern.pieces, pieces, "{text}");
            assert_eq!(pattern.to_string().parse::<Pattern>().unwrap(), pattern);
        }
    }

    #[test]
    fn refuses_with_what_was_found_where_and_what_is_accepted() {
        for (text, at, message) in [
            (
                "",
                0,
                "byte 0: found the end; a path must stand here and begin with `/`",
            ),
            ("users/:id", 0, "byte 0: found `users/:id`; a path must"),
            ("GET", 0, "byte 0: found `GET`; a path must"),
            ("GET ", 4, "byte 4: found the end; a path must"),
            ("GET users", 4, "byte 4: found `users`; a path must"),
            (
                "get /users",
                0,
                "byte 0: `get` is not a method; accepted before the path: GET, HEAD,",
            ),
            ("/a//b", 3, "byte 3: found `//`"),
            ("//", 1, "byte 1: found `//`"),
            (
                "/a/:",
                3,
                "byte 3: found `:`; a parameter is a whole segment, `:name` or `{name}`",
            ),
            ("/a/:id(\\d+)", 7, "byte 7: found '\\\\'"),
            ("PUT /a/:x-:y", 7, "byte 7: found `:x-:y`"),
            ("/img/{id}.png", 5, "byte 5: found `{id}.png`"),
            ("/a/{}", 3, "byte 3: found `{}`"),
            (
                "/a/*/b",
                3,
                "byte 3: found `*`; `*` (or `*name`) must be the last segment and stand",
            ),
            ("/a/b*", 3, "byte 3: found `b*`"),
            ("/a/:id?", 6, "byte 6: found '?'"),
            ("/a b", 2, "byte 2: found ' '"),
            ("/a/\u{7}", 3, "byte 3: found '\\u{7}'"),
        ] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert_eq!(error.at(), at, "{text}: {error}");
            assert!(error.to_string().starts_with(message), "{text}: {error}");
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        assert_eq!(long.parse::<Pattern>().unwrap_err().at(), LONGEST);
    }
}
