//! Replacement of a text by the captures of an expression, as in Go's `Expand`.

use regex_automata::{meta::Regex, util::captures::Captures};

use super::{
    compile,
    error::Error,
    group::Flags,
    parse::{Parsed, parse},
};

/// An expression that is searched for anywhere in a text, as Go's `regexp` does it.
pub struct Search(Replacer);

impl Search {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Go refuses the expression, or it compiles to more than 4 MiB.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        Replacer::of(parse(pattern, Flags::default(), true)?).map(Self)
    }

    /// The approximate size in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.regex.memory_usage()
    }

    /// Whether the text contains a match.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.regex.is_match(text)
    }

    /// The text with each match replaced by `template`, in which `$1`, `${1}`, `$name` and `${name}` stand for the
    /// captures and `$$` for `$`. `None` if the result has more than `most` bytes.
    #[must_use]
    pub fn replace_all(&self, text: &str, template: &str, most: usize) -> Option<String> {
        let mut replaced = String::new();
        let mut end = 0;
        for captures in self.0.regex.captures_iter(text) {
            let span = captures.get_match()?.range();
            replaced.push_str(&text[end..span.start]);
            self.0
                .expand(&captures, text, template, &mut replaced, most);
            if replaced.len() > most {
                return None;
            }
            end = span.end;
        }
        replaced.push_str(&text[end..]);
        (replaced.len() <= most).then_some(replaced)
    }
}

/// An expression with captures.
pub(crate) struct Replacer {
    regex: Regex,
    names: Vec<String>,
}

impl Replacer {
    /// Compiles an expression, anchored at both ends.
    pub(crate) fn new(pattern: &str) -> Result<Self, Error> {
        // Prometheus wraps the text of the expression here, so `a)|(b` is accepted.
        let pattern = format!("^(?s:{pattern})$");
        Self::of(parse(&pattern, Flags::default(), true)?)
    }

    fn of(parsed: Parsed) -> Result<Self, Error> {
        Ok(Self {
            regex: parsed.visit(compile::as_is)?,
            names: parsed.names,
        })
    }

    /// The replacement of `value`: `template` with `$1`, `${1}`, `$name` and `${name}` replaced by the captures, and
    /// `$$` by `$`. `None` if the expression does not match.
    pub(crate) fn replace(&self, value: &str, template: &str) -> Option<String> {
        let mut captures = self.regex.create_captures();
        self.regex.captures(value, &mut captures);
        if !captures.is_match() {
            return None;
        }
        let mut replaced = String::new();
        self.expand(&captures, value, template, &mut replaced, usize::MAX);
        Some(replaced)
    }

    /// Writes the template with its references replaced; it stops when `out` has more than `most` bytes.
    fn expand(
        &self,
        captures: &Captures,
        value: &str,
        template: &str,
        out: &mut String,
        most: usize,
    ) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            rest = if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                after
            } else if let Some((name, after)) = reference(after) {
                out.push_str(self.group(captures, value, name));
                after
            } else {
                out.push('$');
                after
            };
            if out.len() > most {
                return;
            }
        }
        out.push_str(rest);
    }

    /// Of several groups with one name, the first that took part in the match is used.
    fn group<'v>(&self, captures: &Captures, value: &'v str, name: &str) -> &'v str {
        let text = |index| captures.get_group(index).map(|span| &value[span.range()]);
        let found = match number(name) {
            Some(index) => text(index),
            None => {
                let named = self.names.iter().enumerate();
                named
                    .filter(|(_, known)| *known == name)
                    .find_map(|(index, _)| text(index))
            }
        };
        found.unwrap_or_default()
    }
}

/// The longest possible name after a `$`, and the rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let inside = braced.unwrap_or(text);
    let end = inside.find(|c: char| c != '_' && !c.is_alphanumeric());
    let (name, rest) = inside.split_at(end.unwrap_or(inside.len()));
    let rest = match braced {
        Some(_) => rest.strip_prefix('}')?,
        None => rest,
    };
    (!name.is_empty()).then_some((name, rest))
}

/// The number of a group; a number with a leading zero is a name.
fn number(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|digit| digit.is_ascii_digit());
    let number = is_number && (name == "0" || !name.starts_with('0'));
    number.then(|| name.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Search;

    #[test]
    fn replacements() {
        for (pattern, template, text, expected) in [
            ("[a-z]+", "<$0>", "ab 1 c", "<ab> 1 <c>"),
            ("(?P<x>a)(b)?", "[${x}$2$$]", "ab a", "[ab$] [a$]"),
            ("", "-", "éa", "-é-a-"),
            ("a*", "x", "baac", "xbxcx"),
            ("$1", "", "a", "a"),
            ("\\d", "$1x", "1٣", "٣"),
            ("(?i)É", "e", "éÉ", "ee"),
        ] {
            let replaced = Search::new(pattern)
                .unwrap()
                .replace_all(text, template, 100);
            assert_eq!(replaced.as_deref(), Some(expected), "{pattern}");
        }
        assert!(Search::new("[é-").is_err());
        assert!(Search::new("b").unwrap().is_match("abc"));
        assert!(!Search::new("^b").unwrap().is_match("abc"));
    }

    #[test]
    fn the_length_is_bounded() {
        let search = Search::new("a").unwrap();
        assert_eq!(
            search.replace_all(&"a".repeat(1_000), &"$0".repeat(1_000), 4_096),
            None
        );
        assert_eq!(search.replace_all("aa", "bb", 4).as_deref(), Some("bbbb"));
        assert_eq!(search.replace_all("aa", "bb", 3), None);
    }
}
