//! HTML output: values are escaped as their place needs it, by the rules of Go's `html/template`.
//!
//! ```text
//! literal text ─► machine: the place (text, tag, attribute, URL, style) ─► escape: the value for that place
//! ```
//! The place is followed during the run, where Go determines it in advance; the escapes are the same. Values in scripts,
//! in strings and addresses of styles, and in `srcset` are refused. Like Go, this drops comments from the text.

mod css;
mod escape;
mod machine;
mod place;
#[cfg(test)]
mod tests;

use super::super::function::Function;
use super::printf;
use super::value::Value;
use escape::Escape;
use machine::step;
use place::{Delimiter, Place, State, UrlPart};

/// The place of the output.
#[derive(Default)]
pub(super) struct Html(Place);

impl Html {
    /// Follows literal text, and returns the text to write: comments are dropped, and a `<` that begins no tag is
    /// escaped.
    pub(super) fn literal(&mut self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let (mut at, mut written) = (0, 0);
        while at != text.len() {
            let before = self.0;
            let (after, length) = step(before, &text[at..])?;
            let end = at + length;
            if matches!(before.state, State::Text | State::RawText) {
                let mut last = end;
                if after.state != before.state {
                    last = text[at..end].rfind('<').map_or(end, |found| at + found);
                }
                for (found, _) in text[at..last].match_indices('<') {
                    let found = at + found;
                    if !is_doctype(&text[found..]) {
                        out.push_str(&text[written..found]);
                        out.push_str("&lt;");
                        written = found + 1;
                    }
                }
            } else if before.state.is_comment() && before.delimiter == Delimiter::None {
                if before.state == State::CssComment {
                    out.push(' ');
                }
                written = end;
            }
            let begins_comment = after.state.is_comment() && after.state != before.state;
            if begins_comment && after.delimiter == Delimiter::None {
                let opening = if after.state == State::Comment { 4 } else { 2 };
                out.push_str(&text[written..end - opening]);
                written = end;
            }
            if length == 0 && before == after {
                return Err("the HTML cannot be read".to_owned());
            }
            self.0 = after;
            at = end;
        }
        if !(self.0.state.is_comment() && self.0.delimiter == Delimiter::None) {
            out.push_str(&text[written..]);
        }
        Ok(out)
    }

    /// The text of a value in this place. `last` is the function at the end of its pipeline, if that escapes too; `value` is
    /// then the value before this function.
    pub(super) fn value(
        &mut self,
        value: &Value,
        last: Option<Function>,
        most: usize,
    ) -> Result<String, String> {
        self.0 = self.0.before_value();
        let mut escapes = self.escapes()?;
        let own = last.map(Escape::of_function);
        let unquoted =
            self.0.state == State::Attribute && self.0.delimiter == Delimiter::SpaceOrTagEnd;
        if unquoted && last == Some(Function::Html) {
            return Err("predefined escaper \"html\" disallowed in template".to_owned());
        }
        if let Some(own) = own {
            // The escape of the function replaces the equivalent one.
            match escapes.iter_mut().find(|escape| escape.is_replaced_by(own)) {
                Some(same) => *same = own,
                None => escapes.insert(0, own),
            }
        }
        let mut value = value.clone();
        for escape in escapes {
            let text = match &value {
                Value::Nil => String::new(),
                value => printf::plain(value, most)?,
            };
            value = Value::text(escape.apply(&text, &value));
        }
        Ok(value
            .as_text()
            .map_or_else(String::new, ToString::to_string))
    }

    /// The escapes of this place, in the order of application.
    fn escapes(&self) -> Result<Vec<Escape>, String> {
        let refused = |place: &str| Err(format!("a value in {place} cannot be made safe here"));
        let mut escapes = match self.0.state {
            State::Text => vec![Escape::Html],
            State::RawText => vec![Escape::RawText],
            State::Url => match self.0.url {
                UrlPart::Start => vec![Escape::UrlFilter, Escape::UrlNormal],
                UrlPart::Path => vec![Escape::UrlNormal],
                UrlPart::Query => vec![Escape::UrlQuery],
            },
            State::Css => vec![Escape::Css],
            State::CssString | State::CssUrl => {
                return refused("a string or an address of a style");
            }
            State::Script => return refused("a script"),
            State::Srcset => return refused("`srcset`"),
            State::AttributeName | State::Tag => vec![Escape::Name],
            State::Comment | State::CssComment | State::CssLineComment => vec![Escape::Comment],
            State::Attribute | State::AfterName | State::BeforeValue => Vec::new(),
        };
        match self.0.delimiter {
            Delimiter::None => {}
            Delimiter::SpaceOrTagEnd => escapes.push(Escape::Unquoted),
            Delimiter::Double | Delimiter::Single => escapes.push(Escape::Attribute),
        }
        Ok(escapes)
    }

    /// Whether the output ends outside of tags, attributes and comments.
    pub(super) fn end(&self) -> Result<(), String> {
        match self.0.state {
            State::Text => Ok(()),
            state => Err(format!("the HTML ends in {}", state.described())),
        }
    }
}

fn is_doctype(text: &str) -> bool {
    let start = text.get(..9);
    start.is_some_and(|start| start.eq_ignore_ascii_case("<!doctype"))
}
