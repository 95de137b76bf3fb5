//! The text in which learned routes survive a restart.
//!
//! ```text
//! vigie-routes 1
//! learned 100 /shops/*/items/:id
//! folded /shops
//! failing 7 /reports
//! series GET 200 /shops/*/items/:id
//! end 8c736521
//! ```
//! The first line is the format and its version; the last one holds the CRC-32 of all bytes before it.

use std::fmt::Write as _;
use std::str::FromStr;

use super::path::Path;
use super::segment::is_value;
use super::tree::{ANY, VALUE};

/// The first line without the version. A file that begins otherwise is not one of Vigie's.
const MAGIC: &str = "vigie-routes ";

const VERSION: &str = "1";

/// The longest text that is read, in bytes.
pub(crate) const LONGEST: usize = 16 << 20;

/// The most series that are kept.
const MOST_SERIES: usize = 10_000;

/// Whether a file begins as saved routes do. `head` may be the beginning of such a file that was cut.
#[must_use]
pub fn is_saved_routes(head: &[u8]) -> bool {
    head.starts_with(MAGIC.as_bytes()) || MAGIC.as_bytes().starts_with(head)
}

/// Why a saved text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// It does not begin as Vigie's files do.
    #[error("it does not begin with `{}`, so it is not a file of learned routes", MAGIC.trim_end())]
    Foreign,
    /// Another version of Vigie wrote it.
    #[error("its format is version `{found}`; this Vigie reads version {VERSION}")]
    Version {
        /// The version of the file.
        found: String,
    },
    /// It is longer than anything that Vigie writes.
    #[error("it has {length} bytes; at most {LONGEST} are accepted")]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// It was changed or cut after it was written.
    #[error("it is damaged: its checksum is missing or does not match")]
    Checksum,
    /// A line cannot be understood.
    #[error("line {line} is not understood")]
    Line {
        /// Counted from 1.
        line: usize,
    },
}

/// The saved state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Labels of learned routes with their hits.
    pub(super) learned: Vec<(u32, String)>,
    /// Paths of nodes whose children share one name.
    pub(super) folded: Vec<String>,
    /// Labels of failing routes with their hits.
    pub(super) failing: Vec<(u32, String)>,
    /// Methods, codes and labels that had requests.
    pub(crate) series: Vec<[String; 3]>,
}

impl Saved {
    pub(crate) fn encode(&self) -> String {
        let mut text = format!("{MAGIC}{VERSION}\n");
        let mut line = |line: std::fmt::Arguments<'_>| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line}");
        };
        for (hits, label) in &self.learned {
            line(format_args!("learned {hits} {label}"));
        }
        for path in &self.folded {
            line(format_args!("folded {path}"));
        }
        for (hits, label) in &self.failing {
            line(format_args!("failing {hits} {label}"));
        }
        for [method, code, label] in self.series.iter().take(MOST_SERIES) {
            line(format_args!("series {method} {code} {label}"));
        }
        let sum = crc32fast::hash(text.as_bytes());
        let _ = writeln!(text, "end {sum:08x}");
        text
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, SavedError> {
        if !bytes.starts_with(MAGIC.as_bytes()) {
            return Err(SavedError::Foreign);
        }
        let length = bytes.len();
        if length > LONGEST {
            return Err(SavedError::TooLong { length });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| SavedError::Checksum)?;
        let (first, _) = text.split_once('\n').ok_or(SavedError::Checksum)?;
        let version = &first[MAGIC.len()..];
        if version != VERSION {
            let found = version.chars().take(20).collect();
            return Err(SavedError::Version { found });
        }
        let body = without_checksum(text).ok_or(SavedError::Checksum)?;
        let mut saved = Self::default();
        for (number, line) in body.lines().enumerate().skip(1) {
            let line_is_bad = SavedError::Line { line: number + 1 };
            saved.read(line).ok_or(line_is_bad)?;
        }
        Ok(saved)
    }

    pub(crate) fn learned(&self) -> usize {
        self.learned.len()
    }

    pub(crate) fn failing(&self) -> usize {
        self.failing.len()
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let (kind, rest) = line.split_once(' ')?;
        match kind {
            "learned" => self.learned.push(counted(rest)?),
            "failing" => self.failing.push(counted(rest)?),
            "folded" => self.folded.push(label(rest)?),
            "series" if self.series.len() < MOST_SERIES => {
                let mut words = rest.splitn(3, ' ').map(str::to_owned);
                self.series
                    .push([words.next()?, words.next()?, words.next()?]);
            }
            _ => return None,
        }
        Some(())
    }
}

/// The text before the last line, if that holds its checksum.
fn without_checksum(text: &str) -> Option<&str> {
    let end = text.strip_suffix('\n')?.rfind('\n')? + 1;
    let sum = text[end..].strip_prefix("end ")?.trim_end();
    let expected = u32::from_str_radix(sum, 16).ok()?;
    (crc32fast::hash(&text.as_bytes()[..end]) == expected).then(|| &text[..end])
}

fn counted(text: &str) -> Option<(u32, String)> {
    let (hits, path) = text.split_once(' ')?;
    Some((u32::from_str(hits).ok()?, label(path)?))
}

/// A label as the tree can have it: names, `:id` and `*`.
fn label(text: &str) -> Option<String> {
    let path = Path::parse(text)?;
    let is_name = |name: &str| name == VALUE || name == ANY || !(name.is_empty() || is_value(name));
    path.segments().all(is_name).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn saved() -> Saved {
        Saved {
            learned: vec![(100, "/".into()), (7, "/shops/*/items/:id".into())],
            folded: vec!["/shops".into()],
            failing: vec![(5, "/reports/:id".into())],
            series: vec![["GET".into(), "200".into(), "/a b".into()]],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Saved::decode(saved().encode().as_bytes()), Ok(saved()));
        let empty = Saved::default();
        assert_eq!(Saved::decode(empty.encode().as_bytes()), Ok(empty));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let sealed = |text: &str| format!("{text}end {:08x}\n", crc32fast::hash(text.as_bytes()));
        let decode = |text: &str| Saved::decode(text.as_bytes()).unwrap_err();
        assert_eq!(decode(""), SavedError::Foreign);
        assert_eq!(decode("listen = 1\n"), SavedError::Foreign);
        assert_eq!(decode("vigie-routes 1"), SavedError::Checksum);
        let found = "2".to_owned();
        assert_eq!(decode("vigie-routes 2\nx\n"), SavedError::Version { found });
        for line in [
            "",
            "learned",
            "learned /a",
            "learned -1 /a",
            "learned 1 a",
            "learned 1 /a//b",
            "learned 1 /a b",
            "other 1 /a",
            "series GET 200",
        ] {
            let text = sealed(&format!("vigie-routes 1\nlearned 1 /a\n{line}\n"));
            assert_eq!(decode(&text), SavedError::Line { line: 3 }, "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_or_cut_text_is_not_read(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let text = saved().encode().into_bytes();
            let at = at.index(text.len());
            prop_assert!(Saved::decode(&text[..at]).is_err());
            let mut changed = text.clone();
            changed[at] = byte;
            // A change of a hexadecimal digit's case is none.
            let is_same = changed.eq_ignore_ascii_case(&text);
            prop_assert!(is_same || Saved::decode(&changed).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Saved::decode(&bytes);
            let _ = Saved::decode(&[MAGIC.as_bytes(), b"1\n", &bytes].concat());
        }
    }
}
