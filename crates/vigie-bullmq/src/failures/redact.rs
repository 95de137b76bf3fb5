//! Replaces what may identify a person or give access to something: e-mail addresses, secrets, numbers, identifiers, and the
//! credentials and queries of URLs.
//!
//! Words of letters only are kept, since nothing distinguishes a name from any other word. No digit is kept except in the
//! status codes of HTTP and in the numbers of lines and columns. The result is the same for all failures of a kind, so
//! that they can be counted together.

use std::net::{IpAddr, SocketAddr};

use vigie_redis::redact::addresses;

use super::shapes::{
    SHORTEST_TOKEN, after_uuid, email_in, is_random, is_secret, numbers, query_in,
};

const EMAIL: &str = "<email>";
const HEX: &str = "<hex>";
const ID: &str = "<id>";
const IP: &str = "<ip>";
const NUMBER: &str = "<number>";
const QUERY: &str = "?<query>";
const SECRET: &str = "***";
const TOKEN: &str = "<token>";
const UUID: &str = "<uuid>";

/// The shortest word that is recognized as a hexadecimal number.
const SHORTEST_HEX: usize = 8;

/// The text without personal data and secrets.
pub(crate) fn redact(text: &str) -> String {
    let text = addresses(text);
    let mut redaction = Redaction {
        text: String::with_capacity(text.len()),
        word: String::new(),
        value: Value::Public,
    };
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let length = rest.find(is_delimiter).unwrap_or(rest.len());
        if length == 0 {
            redaction.delimiter(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (run, after) = rest.split_at(length);
        rest = match redaction.run(run) {
            Rest::Same => after,
            // A query may contain brackets and commas.
            Rest::Query => {
                after.trim_start_matches(|char: char| !char.is_whitespace() && !is_quote(char))
            }
        };
    }
    redaction.text
}

fn is_quote(char: char) -> bool {
    matches!(char, '"' | '\'' | '`' | '<' | '>')
}

fn is_delimiter(char: char) -> bool {
    char.is_whitespace()
        || is_quote(char)
        || matches!(char, '(' | ')' | '[' | ']' | '{' | '}' | '|' | ',' | ';')
}

/// The text after a run.
enum Rest {
    Same,
    /// The remainder of a query.
    Query,
}

/// Whether the next word is a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Public,
    /// If a `:` or `=` follows.
    AfterSign,
    Secret,
}

struct Redaction {
    text: String,
    /// The last word of letters, in lower case.
    word: String,
    value: Value,
}

impl Redaction {
    fn delimiter(&mut self, char: char) {
        self.text.push(char);
        if !char.is_whitespace() && !matches!(char, '"' | '\'' | '`') {
            self.value = Value::Public;
        }
    }

    /// Redacts text without delimiters.
    fn run(&mut self, run: &str) -> Rest {
        match self.value {
            Value::Secret if run.chars().any(char::is_alphanumeric) => {
                self.secret(run);
                return Rest::Same;
            }
            Value::AfterSign if run.starts_with([':', '=']) => {
                let (sign, value) = run.split_at(1);
                self.text += sign;
                self.value = Value::Secret;
                return match value.is_empty() {
                    true => Rest::Same,
                    false => self.run(value),
                };
            }
            Value::AfterSign => self.value = Value::Public,
            _ => {}
        }
        if let Some(colon) = run.find("://") {
            return self.url(run, colon + 3);
        }
        match query_in(run) {
            Some(query) => {
                self.parts(&run[..query]);
                self.text += QUERY;
                Rest::Query
            }
            None => {
                self.parts(run);
                Rest::Same
            }
        }
    }

    /// Replaces a secret. The scheme of an `Authorization` is kept.
    fn secret(&mut self, run: &str) {
        if ["bearer", "basic", "digest"].contains(&run.to_lowercase().as_str()) {
            self.text += run;
        } else {
            self.text += SECRET;
            self.value = Value::Public;
        }
    }

    /// An address whose authority begins at `start`. Its user and password are replaced already.
    fn url(&mut self, run: &str, start: usize) -> Rest {
        let (scheme, rest) = run.split_at(start);
        self.parts(scheme);
        let (place, query) = match rest.find(['?', '#']) {
            Some(query) => rest.split_at(query),
            None => (rest, ""),
        };
        self.path(place);
        self.value = Value::Public;
        if query.len() > 1 {
            self.text += QUERY;
            return Rest::Query;
        }
        self.text += query;
        Rest::Same
    }

    /// Pairs of names and values.
    fn parts(&mut self, run: &str) {
        let mut rest = run;
        while let Some(sign) = rest.find(['=', '&']) {
            let (part, after) = rest.split_at(sign);
            self.part(part);
            let (sign, after) = after.split_at(1);
            self.text += sign;
            self.value = match sign == "=" && is_secret(part) {
                true => Value::Secret,
                false => Value::Public,
            };
            rest = after;
        }
        self.part(rest);
    }

    fn part(&mut self, part: &str) {
        if self.value == Value::Secret && !part.is_empty() {
            return self.secret(part);
        }
        if let Some((local, end)) = email_in(part) {
            self.words(&part[..local]);
            self.text += EMAIL;
            return self.part(&part[end..]);
        }
        if part.starts_with(['/', '.']) {
            return self.path(part);
        }
        let bare = part.trim_end_matches(['.', ':', '!', '?']);
        if is_random(bare) {
            self.text += TOKEN;
        } else if bare.contains(char::is_alphanumeric) && bare.parse::<IpAddr>().is_ok() {
            self.text += IP;
        } else if bare.parse::<SocketAddr>().is_ok() {
            self.text += IP;
            self.text.push(':');
            self.text += NUMBER;
        } else {
            return self.words(part);
        }
        self.text += &part[bare.len()..];
    }

    fn path(&mut self, path: &str) {
        for (at, segment) in path.split('/').enumerate() {
            if at > 0 {
                self.text.push('/');
            }
            let name = segment.trim_start_matches('.');
            self.text += &segment[..segment.len() - name.len()];
            self.part(name);
        }
    }

    fn words(&mut self, part: &str) {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            if self.value == Value::Secret && first.is_alphanumeric() {
                return self.secret(rest);
            }
            let length = rest
                .find(|char: char| !char.is_alphanumeric())
                .unwrap_or(rest.len());
            let group = numbers(rest);
            if length == 0 {
                let read = &part[..part.len() - rest.len()];
                if first == ':' && is_secret(read) {
                    self.value = Value::Secret;
                }
                self.text.push(first);
                rest = &rest[first.len_utf8()..];
            } else if let Some(after) = after_uuid(rest) {
                self.text += UUID;
                rest = after;
            } else if group > 0 {
                self.number(&rest[..group]);
                rest = &rest[group..];
            } else {
                self.word(&rest[..length]);
                rest = &rest[length..];
            }
        }
        if self.value == Value::Public && is_secret(part) {
            self.value = Value::AfterSign;
        } else if part.eq_ignore_ascii_case("bearer") {
            self.value = Value::Secret;
        }
    }

    /// Redacts a word of letters and digits.
    fn word(&mut self, word: &str) {
        let digits = word.split(|char: char| !char.is_numeric());
        let groups = digits.filter(|group| !group.is_empty()).count();
        let letters = word.strip_prefix("0x").unwrap_or(word);
        let is_hex = letters.chars().all(|char| char.is_ascii_hexdigit());
        match groups {
            0 if is_random(word) => self.text += TOKEN,
            0 => {
                self.text += word;
                self.word = word.to_lowercase();
            }
            _ if is_hex && letters.len() >= SHORTEST_HEX || letters.len() < word.len() => {
                self.text += HEX
            }
            _ if word.len() >= SHORTEST_TOKEN => self.text += TOKEN,
            1 => {
                let number = word.find(char::is_numeric).unwrap_or(0);
                let (before, number) = word.split_at(number);
                self.text += before;
                self.text += NUMBER;
                self.text += number.trim_start_matches(char::is_numeric);
            }
            _ => self.text += ID,
        }
    }

    fn number(&mut self, number: &str) {
        let is_kept = match self.word.as_str() {
            "status" | "code" | "http" => {
                let code = number.parse::<u16>();
                number.len() == 3 && code.is_ok_and(|code| (100..600).contains(&code))
            }
            "line" | "column" => {
                number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_digit())
            }
            _ => false,
        };
        self.text += if is_kept { number } else { NUMBER };
    }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
