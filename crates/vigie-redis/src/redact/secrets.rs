//! Masks known secrets.

use std::collections::HashSet;
use std::ops::Range;

use super::cover;
use super::views::views;

/// A part of a secret is masked if it has at least half of the secret's characters, within these bounds. Shorter parts
/// could be common words.
const LEAST_PART: usize = 6;
const MOST_PART: usize = 9;
/// Common words that are not treated as a part of a secret on their own.
const WORDS: [&str; 2] = ["password", "username"];

/// Secrets that must not be shown. Not `Debug`.
#[derive(Clone, Default)]
pub struct Secrets(Vec<Vec<char>>);

impl Secrets {
    /// Adds a secret, and its percent-decoded form.
    pub fn add(&mut self, secret: &str) {
        for view in views(secret) {
            let chars: Vec<char> = view.chars.into_iter().map(alike).collect();
            if !chars.is_empty() && !self.0.contains(&chars) {
                self.0.push(chars);
            }
        }
    }

    /// Returns the text with every secret masked, in any encoding, and every large part of one.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let mut covered = Vec::new();
        for view in views(text) {
            let chars: Vec<char> = view.chars.iter().copied().map(alike).collect();
            let words = words(&chars);
            for secret in &self.0 {
                let length = secret.len().div_ceil(2).clamp(LEAST_PART, MOST_PART);
                let length = length.min(secret.len());
                let parts: HashSet<&[char]> = secret.windows(length).collect();
                let found = chars.windows(length).enumerate();
                let found = found.filter(|(_, part)| parts.contains(part));
                let mut runs: Vec<Range<usize>> = Vec::new();
                for (at, _) in found {
                    match runs.last_mut() {
                        Some(run) if at <= run.end => run.end = at + length,
                        _ => runs.push(at..at + length),
                    }
                }
                let is_word = |run: &Range<usize>| {
                    let mut words = words.iter();
                    run.len() < secret.len()
                        && words.any(|word| word.start <= run.start && run.end <= word.end)
                };
                let runs = runs.into_iter().filter(|run| !is_word(run));
                covered.extend(runs.map(|run| view.place(run)));
            }
        }
        cover(text, covered)
    }
}

/// The positions of [`WORDS`].
fn words(chars: &[char]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for word in WORDS {
        let length = word.len();
        let places = chars.windows(length).enumerate();
        let places = places.filter(|(_, part)| part.iter().copied().eq(word.chars()));
        found.extend(places.map(|(at, _)| at..at + length));
    }
    found
}

/// Forms encode a space as a plus.
fn alike(char: char) -> char {
    match char {
        '+' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scrubbed(secrets: &[&str], text: &str) -> String {
        let mut known = Secrets::default();
        secrets.iter().for_each(|secret| known.add(secret));
        known.scrub(text)
    }

    #[test]
    fn whole_secrets_in_every_encoding() {
        let text = "no hunter2! and no hunter2 here";
        let secrets = ["hunter2", "", "hunter2!", "hunter2"];
        assert_eq!(scrubbed(&secrets, text), "no *** and no *** here");
        let secret = "p\"a/s\\s é'w";
        for spelling in [
            r#"p\"a/s\\s é'w"#,
            r#"p\"a\/s\\s \u00e9'w"#,
            r#"p\"a/s\\s \xc3\xa9'w"#,
            r#"p"a/s\s é''w"#,
            "p%22a%2Fs%5Cs+%c3%a9%27w",
            "p%22a/s%5Cs%20é'w",
            r#"p\\\"a/s\\\\s é'w"#,
        ] {
            assert_eq!(
                scrubbed(&[secret], &format!("<{spelling}>")),
                "<***>",
                "{spelling}"
            );
        }
        assert_eq!(
            scrubbed(&["hu%2Fnter"], "hu%2Fnter or hu/nter"),
            "*** or ***"
        );
        assert_eq!(
            scrubbed(&["éA0 "], r"C:\\xc3\xa9\x41\x30\x20"),
            "C:***",
            "the first backslash belongs to the text before or to the escape"
        );
        assert_eq!(scrubbed(&["x"], "a x b"), "a *** b");
        assert_eq!(scrubbed(&[], "text"), "text");
    }

    #[test]
    fn parts_of_secrets() {
        let secret = "correct'horse-battery";
        for part in ["correct'horse", "horse-battery", "rse-batte"] {
            assert_eq!(
                scrubbed(&[secret], &format!("near \"{part}\"")),
                "near \"***\""
            );
        }
        // Words that any message may contain.
        assert_eq!(
            scrubbed(&[secret], "no correct battery"),
            "no correct battery"
        );
        let text = "password authentication failed";
        assert_eq!(scrubbed(&["some-role-password"], text), text);
        assert_eq!(scrubbed(&["first-password"], text), text);
        assert_eq!(
            scrubbed(&["first-password"], "near st-password"),
            "near ***"
        );
        assert_eq!(scrubbed(&["password"], text), "*** authentication failed");
    }

    proptest! {
        #[test]
        fn no_encoding_is_missed(secret in "[ -~éß]{4,24}", before in "[^a]{0,8}", after in "[^a]{0,8}") {
            let mut known = Secrets::default();
            known.add(&secret);
            let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let hex: String = secret.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            let debug = format!("{secret:?}");
            for spelling in [&*secret, &percent, &hex, &debug[1..debug.len() - 1]] {
                let text = format!("{before}{spelling}{after}");
                let clean = known.scrub(&text);
                prop_assert!(!clean.contains(spelling), "{} in {}", spelling, clean);
            }
        }
    }
}
