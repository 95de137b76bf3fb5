//! The tokens of a line.

use super::Format;

/// A line that is read from left to right.
#[derive(Clone)]
pub(super) struct Line<'a> {
    rest: &'a str,
    format: Format,
}

type Lexed<T> = Result<T, String>;

impl<'a> Line<'a> {
    pub(super) fn new(rest: &'a str, format: Format) -> Self {
        Self { rest, format }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn starts_with(&self, next: char) -> bool {
        self.rest.starts_with(next)
    }

    /// The rest of the line.
    pub(super) fn rest(&mut self) -> &'a str {
        std::mem::take(&mut self.rest)
    }

    /// Consumes this text if it is next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else {
            return false;
        };
        self.rest = rest;
        true
    }

    /// Any number of blanks in the text format; none in OpenMetrics.
    pub(super) fn skip_blanks(&mut self) {
        if self.format == Format::Text {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
        }
    }

    /// The separator of two tokens: exactly one space in OpenMetrics.
    pub(super) fn gap(&mut self) -> Lexed<()> {
        let before = self.rest.len();
        match self.format {
            Format::Text => self.skip_blanks(),
            Format::OpenMetrics => {
                self.take(" ");
            }
        }
        if self.rest.len() == before {
            return Err(format!("a space is missing before {:?}", self.rest));
        }
        Ok(())
    }

    /// Everything up to the next blank.
    pub(super) fn word(&mut self) -> Lexed<&'a str> {
        let end = self.rest.find([' ', '\t']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word.is_empty() {
            return Err("a word is missing".into());
        }
        Ok(word)
    }

    /// The name of a metric.
    pub(super) fn metric_name(&mut self) -> Lexed<&'a str> {
        self.name("metric name", ":_")
    }

    fn name(&mut self, what: &str, others: &str) -> Lexed<&'a str> {
        let belongs = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("not a {what}: {:?}", self.rest));
        }
        self.rest = rest;
        Ok(name)
    }

    /// `{name="value",…}`.
    pub(super) fn labels(&mut self) -> Lexed<Vec<(String, String)>> {
        let mut labels: Vec<(String, String)> = Vec::new();
        if !self.take("{") {
            return Err(format!("labels are missing before {:?}", self.rest));
        }
        loop {
            self.skip_blanks();
            if self.take("}") {
                // Only the text format allows a comma before it.
                return Ok(labels);
            }
            let name = self.name("label name", "_")?;
            if name.starts_with("__") {
                return Err(format!("the label name {name} is reserved"));
            }
            if labels.iter().any(|(known, _)| known == name) {
                return Err(format!("the label {name} comes twice"));
            }
            self.skip_blanks();
            if !self.take("=") {
                return Err(format!("no = after the label name {name}"));
            }
            self.skip_blanks();
            if !self.take("\"") {
                return Err(format!("the value of {name} is not quoted"));
            }
            labels.push((name.to_owned(), self.quoted()?));
            self.skip_blanks();
            let comma = self.take(",");
            let dangling =
                comma && self.format == Format::OpenMetrics && self.rest.starts_with('}');
            if dangling || !comma && !self.rest.starts_with('}') {
                return Err(format!("labels must be parted by commas: {:?}", self.rest));
            }
        }
    }

    /// Up to the closing quote.
    fn quoted(&mut self) -> Lexed<String> {
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let end = end.ok_or("a quote is not closed")?;
        let raw = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        unescape(raw, true)
    }

    /// A value: a decimal number, `NaN`, `+Inf` or `-Inf`.
    pub(super) fn number(&mut self) -> Lexed<f64> {
        let word = self.word()?;
        number(word).ok_or_else(|| format!("not a number: {word:?}"))
    }
}

/// Unescapes a text; escapes that are not part of the format are refused.
pub(super) fn unescape(raw: &str, quotes: bool) -> Lexed<String> {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\\') => text.push('\\'),
                Some('n') => text.push('\n'),
                Some('"') if quotes => text.push('"'),
                other => return Err(format!("no such escape: \\{}", other.unwrap_or(' '))),
            },
            '"' if quotes => return Err("a quote must be escaped".into()),
            _ => text.push(c),
        }
    }
    Ok(text)
}

/// The common syntax: Rust's parser also accepts `inf`, `infinity` and `nan`.
pub(super) fn number(word: &str) -> Option<f64> {
    match word {
        "NaN" => Some(f64::NAN),
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ if word
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) =>
        {
            word.parse().ok()
        }
        _ => None,
    }
}
