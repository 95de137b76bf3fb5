//! Sections of lines, which are returned whole: a head with its fields, or trailers.

use memchr::memchr;

use super::chars::is_token;
use crate::Fault;

/// The parser of a section.
pub(crate) trait Section {
    /// Whether the next line is a start line.
    fn at_start(&self) -> bool;

    /// Parses the next line, without its CRLF, which begins at the offset `at` of the section. Returns whether the section
    /// is complete.
    fn line(&mut self, line: &[u8], at: usize) -> Result<bool, Fault>;
}

/// Divides the bytes of one direction into lines. A section that arrives in one piece is not copied.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The bytes of an incomplete section, or of the last one that was returned.
    held: Vec<u8>,
    /// The offset of the current line in the section.
    line: usize,
    /// Whether `held` is a section that was returned.
    returned: bool,
}

/// The capacity that is kept between sections: an idle connection has it for as long as it is open.
const KEPT: usize = 2 * 1024;

impl Lines {
    /// Whether no byte of the current line was read.
    pub(crate) fn is_at_line_begin(&self) -> bool {
        self.returned || self.held.len() == self.line
    }

    /// The bytes that were read and not returned.
    pub(crate) fn held(&self) -> &[u8] {
        if self.returned { &[] } else { &self.held }
    }

    /// Returns a section when it is complete, with its last line end. Until then it reads all of `input`; if the section is
    /// refused, the part of `input` that follows [`held`](Self::held) is left.
    pub(crate) fn read<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
        limit: usize,
        section: &mut impl Section,
    ) -> Result<Option<&'a [u8]>, Fault> {
        let bytes = *input;
        let split = !self.held.is_empty();
        let mut end = 0;
        while let Some(found) = memchr(b'\n', &bytes[end..]) {
            let from = end;
            end += found + 1;
            let whole = if split {
                self.held.extend_from_slice(&bytes[from..end]);
                *input = &bytes[end..];
                &self.held
            } else {
                &bytes[..end]
            };
            let at = self.line;
            check(whole.get(at), at, whole.len(), limit, section)?;
            let line = whole[at..].strip_suffix(b"\r\n").ok_or(Fault::LineEnd)?;
            let complete = section.line(line, at)?;
            self.line = whole.len();
            if complete {
                *input = &bytes[end..];
                self.returned = split;
                self.line = 0;
                return Ok(Some(if split { &self.held } else { &bytes[..end] }));
            }
        }
        // The bytes of a section that is not split are held only now, lines included.
        let rest = if split { &bytes[end..] } else { bytes };
        let first = match self.held.get(self.line) {
            None => rest.get(self.line - self.held.len()),
            first => first,
        };
        let length = self.held.len() + rest.len();
        check(first, self.line, length, limit, section)?;
        self.held.extend_from_slice(rest);
        *input = &[];
        Ok(None)
    }

    /// The bytes of an incomplete section, which are then forgotten.
    pub(crate) fn release(&mut self) -> Option<&[u8]> {
        if self.held().is_empty() {
            return None;
        }
        self.returned = true;
        Some(&self.held)
    }

    /// Forgets a section that was returned. Called before every further read, so that a long body does not keep a large head.
    pub(crate) fn clear_returned(&mut self) {
        if self.returned {
            self.clear();
        }
    }

    /// Forgets the bytes of the last section, complete or not.
    pub(crate) fn clear(&mut self) {
        self.returned = false;
        self.line = 0;
        self.held.clear();
        self.held.shrink_to(KEPT);
    }
}

/// Checks the first byte of the line at the offset `at`, and then the `length` of the section so far.
///
/// The first byte is checked before the line is complete, because bytes that are not HTTP, such as a TLS hello, may never
/// contain a line end. The order makes the fault independent of how the bytes are divided.
fn check(
    first: Option<&u8>,
    at: usize,
    length: usize,
    limit: usize,
    section: &impl Section,
) -> Result<(), Fault> {
    if let Some(&byte) = first.filter(|_| at < limit) {
        match byte {
            b'\r' => {}
            b'\n' => return Err(Fault::LineEnd),
            _ if is_token(byte) => {}
            _ if section.at_start() => return Err(Fault::StartLine),
            b' ' | b'\t' => return Err(Fault::Fold),
            _ => return Err(Fault::FieldName),
        }
    }
    match length > limit {
        true => Err(Fault::TooLarge),
        false => Ok(()),
    }
}
