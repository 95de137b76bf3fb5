//! The bytes that one read produces for the other side.

use std::ops::Range;

/// Collects bytes to be written. As long as they are one part of the input they are not copied.
pub(crate) struct Output<'i, 'b> {
    input: &'i [u8],
    part: Range<usize>,
    copied: &'b mut Vec<u8>,
}

impl<'i, 'b> Output<'i, 'b> {
    /// For the bytes that reading `input` produces. `copied` is a buffer, and is cleared.
    pub(crate) fn new(input: &'i [u8], copied: &'b mut Vec<u8>) -> Self {
        copied.clear();
        Self {
            input,
            part: 0..0,
            copied,
        }
    }

    /// Appends bytes, which may be a part of the input.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.copied.is_empty()
            && let Some(part) = self.part_of_input(bytes)
            && (self.part.is_empty() || self.part.end == part.start)
        {
            let begin = match self.part.is_empty() {
                true => part.start,
                false => self.part.start,
            };
            self.part = begin..part.end;
            return;
        }
        self.buffer().extend_from_slice(bytes);
    }

    /// The bytes so far, as a buffer to append to.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if !self.part.is_empty() {
            let part = std::mem::take(&mut self.part);
            self.copied.extend_from_slice(&self.input[part]);
        }
        self.copied
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self.part.is_empty() {
            true => self.copied,
            false => &self.input[self.part.clone()],
        }
    }

    /// The place of `bytes` in the input, if they are a part of it.
    fn part_of_input(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let begin = bytes.as_ptr().addr();
        let offset = begin.checked_sub(self.input.as_ptr().addr())?;
        let end = offset.checked_add(bytes.len())?;
        (end <= self.input.len()).then_some(offset..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_order_are_not_copied_and_others_are_appended() {
        let input = b"0123456789".to_vec();
        let mut copied = b"old".to_vec();
        let mut output = Output::new(&input, &mut copied);
        assert_eq!(output.bytes(), b"");
        output.push(&input[2..4]);
        output.push(&input[4..7]);
        assert!(std::ptr::eq(output.bytes(), &raw const input[2..7]));
        output.push(b"x");
        output.push(&input[7..]);
        assert_eq!(output.bytes(), b"23456x789");

        let mut output = Output::new(&input, &mut copied);
        output.push(&input[..2]);
        output.push(&input[3..]);
        assert_eq!(output.bytes(), b"013456789", "a gap");
        let mut output = Output::new(&input, &mut copied);
        output.push(b"x");
        output.push(&input[..2]);
        assert_eq!(output.bytes(), b"x01");
    }
}
