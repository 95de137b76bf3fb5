//! Replacement of a text by the captures of an expression, as in Go's `Expand`.

use regex_automata::{meta::Regex, util::captures::Captures};

use super::{compile, error::Error, group::Flags, parse::parse};

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
        let parsed = parse(&pattern, Flags::default(), true)?;
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
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            replaced.push_str(before);
            rest = if let Some(after) = after.strip_prefix('$') {
                replaced.push('$');
                after
            } else if let Some((name, after)) = reference(after) {
                replaced.push_str(self.group(&captures, value, name));
                after
            } else {
                replaced.push('$');
                after
            };
        }
        replaced.push_str(rest);
        Some(replaced)
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
