//! A text of bounded length.

use std::fmt;

/// A text that takes at most some number of bytes; further ones are dropped.
pub(super) struct Out {
    text: String,
    most: usize,
    is_full: bool,
}

/// A text exceeded its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text exceeds {0} bytes")]
pub(super) struct TooLong(pub(super) usize);

impl From<TooLong> for String {
    fn from(error: TooLong) -> Self {
        error.to_string()
    }
}

impl Out {
    pub(super) fn new(most: usize) -> Self {
        Self {
            text: String::new(),
            most,
            is_full: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether something was dropped.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    pub(super) fn push_str(&mut self, text: &str) {
        match self.is_full || self.text.len() + text.len() > self.most {
            true => self.is_full = true,
            false => self.text.push_str(text),
        }
    }

    /// Writes an ASCII character some number of times.
    pub(super) fn repeat(&mut self, c: char, count: usize) {
        match self.is_full || self.text.len().saturating_add(count) > self.most {
            true => self.is_full = true,
            false => self.text.extend(std::iter::repeat_n(c, count)),
        }
    }

    /// The text.
    pub(super) fn end(self) -> Result<String, TooLong> {
        match self.is_full {
            true => Err(TooLong(self.most)),
            false => Ok(self.text),
        }
    }
}

impl fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}
