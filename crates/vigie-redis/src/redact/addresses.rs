//! Masks texts that look like an address with credentials, or like a named password.

use std::ops::Range;

use super::cover;
use super::views::views;

/// Placeholders in help texts.
const PLACEHOLDERS: [&str; 2] = ["USER:PASSWORD", ":PASSWORD"];
/// Names of secret parameters, as in `?password=…`; longer names may end with them.
const NAMES: [&str; 7] = [
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "token",
];

/// Returns the text without credentials: masks the text between `://` and the `@` of an address, before the `@` of
/// `user:password@host`, and after `password=` and similar names. If in doubt, more is masked.
#[must_use]
pub fn addresses(text: &str) -> String {
    if is_harmless(text) {
        return text.to_owned();
    }
    cover(text, credentials(text))
}

/// Whether the text has none of the signs of credentials, nor an encoding that could hide one: most texts do not, and need not be
/// searched.
fn is_harmless(text: &str) -> bool {
    !text.contains(['@', '=', '%', '\\']) && !text.contains("://")
}

fn credentials(text: &str) -> Vec<Range<usize>> {
    let mut covered = Vec::new();
    for view in views(text) {
        let mut start = 0;
        for line in view.chars.split(|char| *char == '\n') {
            for found in in_line(line) {
                covered.push(view.place(start + found.start..start + found.end));
            }
            start += line.len() + 1;
        }
    }
    covered
}

fn in_line(line: &[char]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in 0..line.len() {
        if line[at..].starts_with(&[':', '/', '/']) {
            found.extend(userinfo(line, at + 3));
        } else if line[at] == '=' {
            found.extend(named(line, at));
        }
    }
    let mut at = 0;
    for word in line.split(|char| char.is_whitespace()) {
        found.extend(bare(word).map(|range| at + range.start..at + range.end));
        at += word.len() + 1;
    }
    found
}

/// The user and the password of an address whose scheme ends at `start`.
fn userinfo(line: &[char], start: usize) -> Option<Range<usize>> {
    let rest = &line[start..];
    let length = rest.iter().position(|char| char.is_whitespace());
    let (word, after) = rest.split_at(length.unwrap_or(rest.len()));
    let end = match last_at(word) {
        Some(end) if is_placeholder(&word[..end]) => return None,
        Some(end) => end,
        // A password may contain spaces, or the text may be truncated.
        None => {
            let mut words = after.split(|char| char.is_whitespace());
            let next = words.find(|word| !word.is_empty()).unwrap_or_default();
            if is_host(word) && !(word.contains(&':') && next.contains(&'@')) {
                return None;
            }
            last_at(rest).unwrap_or(word.len())
        }
    };
    Some(start..start + end)
}

/// Whether a word after `://` starts with hosts, each followed by a port if there is a colon.
fn is_host(word: &[char]) -> bool {
    let authority: String = word
        .iter()
        .take_while(|char| !"/?#".contains(**char))
        .collect();
    let is_whole_word = authority.len() == word.iter().collect::<String>().len();
    let authority = match is_whole_word {
        true => authority.trim_end_matches(|char| ",;:.)]}>\"'`".contains(char)),
        false => &authority,
    };
    let is_port = |port: &str| {
        port == "PORT" || (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit())
    };
    authority.starts_with('[')
        || authority
            .split(',')
            .all(|host| match host.rsplit_once(':') {
                Some((host, port)) => !host.is_empty() && is_port(port),
                None => true,
            })
}

/// `user:password` in a word like `user:password@host`.
fn bare(word: &[char]) -> Option<Range<usize>> {
    let end = last_at(word)?;
    let start = word
        .iter()
        .position(|char| !"\"'`([{<=".contains(*char))
        .filter(|start| *start < end)?;
    let userinfo = &word[start..end];
    let colon = userinfo.iter().position(|char| *char == ':')?;
    let is_address = userinfo[colon..].starts_with(&[':', '/', '/']);
    let covers = !is_address && !is_placeholder(userinfo);
    covers.then_some(start..end)
}

/// The value after the `=` at `equals`, if the name is that of a secret.
fn named(line: &[char], equals: usize) -> Option<Range<usize>> {
    let before = line[..equals].iter().rev();
    let name = before.take_while(|char| char.is_alphanumeric() || **char == '_');
    let name: Vec<char> = name.map(char::to_ascii_lowercase).collect();
    let name: String = name.into_iter().rev().collect();
    if !NAMES.iter().any(|secret| name.ends_with(secret)) {
        return None;
    }
    let start = equals + 1;
    let value = &line[start..];
    // A quoted value may contain spaces, and the quote itself.
    let quoted = value.first().filter(|char| matches!(char, '"' | '\''));
    let closing = quoted.and_then(|quote| value.iter().rposition(|char| char == quote));
    let closing = closing.unwrap_or(0);
    let after = value[closing..]
        .iter()
        .position(|char| char.is_whitespace());
    let end = after.map_or(value.len(), |after| closing + after);
    (end > 0).then_some(start..start + end)
}

fn last_at(chars: &[char]) -> Option<usize> {
    chars.iter().rposition(|char| *char == '@')
}

fn is_placeholder(userinfo: &[char]) -> bool {
    let userinfo: String = userinfo.iter().collect();
    PLACEHOLDERS.contains(&&*userinfo)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn credentials_are_covered() {
        for (text, clean) in [
            ("postgres://u:p@db:5432/x", "postgres://***@db:5432/x"),
            (
                "at postgres://u:pa:ss/w@rd@db:5432/x now",
                "at postgres://***@db:5432/x now",
            ),
            ("redis://:pa:ss/w@rd@cache", "redis://***@cache"),
            ("redis://u:a b c@h", "redis://***@h"),
            ("redis://u:12 34@h", "redis://***@h"),
            ("redis://:a b@h", "redis://***@h"),
            ("redis://u:cut", "redis://***"),
            ("redis://:cut", "redis://***"),
            ("redis://u:/cut", "redis://***"),
            ("password='a'b c", "password=*** c"),
            ("a://x b://u:p@h", "a://x b://***@h"),
            ("u:p@h:6379", "***@h:6379"),
            ("(\"u:p@h\")", "(\"***@h\")"),
            ("redis%3A%2F%2Fu%3Apw%40h", "redis%3A%2F%2F***%40h"),
            (r"redis:\/\/u:pw@h", "***@h"),
            ("u:a://b@h", "***@h"),
            (r#"redis://u:p\"w@h"#, "redis://***@h"),
            (
                "db://h/d?user=u&password=p&x=1",
                "db://h/d?user=u&password=***",
            ),
            ("host=h password='a b' x=1", "host=h password=*** x=1"),
            ("VIGIE__ADMIN__TOKEN=abc", "VIGIE__ADMIN__TOKEN=***"),
        ] {
            assert_eq!(addresses(text), clean);
            assert_eq!(addresses(clean), clean, "twice");
        }
    }

    #[test]
    fn the_rest_is_shown() {
        for text in [
            "see http://h/a and mail me@x",
            "redis://127.0.0.1:6379/0: connection refused",
            "redis-sentinel://a:26379,b:26379/mymaster/0",
            "https://[::1]:9850/",
            "user 'vigie'@'10.0.0.1' (using password: YES)",
            "an address like postgres://USER:PASSWORD@127.0.0.1:5432/NAME",
            "like redis-sentinel://:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DATABASE",
            "add password = \"…\" or password_file = \"…\"",
            "db:5432: password authentication failed",
            "up to 100% and 12:30 o'clock",
            "",
        ] {
            assert_eq!(addresses(text), text);
        }
    }

    proptest! {
        #[test]
        fn harmless_texts_have_no_credentials(text in "(://|[@=%:/'\"\\\\ua40]|pass|[ -~é]){0,8}") {
            prop_assert!(!is_harmless(&text) || credentials(&text).is_empty(), "{}", text);
        }

        #[test]
        fn no_password_of_an_address_is_shown(
            password in "[!-~é]{0,8}Xy7[!-~é]{0,8}",
            scheme in "(redis|postgres|https|[a-z]{1,8})",
            before in "[ -~]{0,12}",
            after in "[a-z0-9./:]{1,12}",
        ) {
            let text = format!("{before}{scheme}://user:{password}@{after}");
            prop_assert!(!addresses(&text).contains("Xy7"), "{}", text);
            let text = format!("{before} user:{password}@{after}");
            prop_assert!(!addresses(&text).contains("Xy7"), "{}", text);
        }
    }
}
