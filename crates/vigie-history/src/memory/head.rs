//! The unsealed samples of one series: the newest uncompressed, the others compressed in small pieces.

use vigie_promql::Sample;

use crate::chunk;

/// The number of samples of a piece: eight minutes at a scrape every 15 s.
const PIECE: usize = 32;
/// The header of a piece: the times of its first and last sample, and its length.
const PIECE_HEAD: usize = 18;

/// The head of one series.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// The pieces in order of time.
    packed: Vec<u8>,
    /// The samples after the pieces, at most [`PIECE`]; empty only if there are no samples at all.
    tail: Vec<Sample>,
}

impl Head {
    /// The time of the newest sample.
    pub(crate) fn last(&self) -> Option<i64> {
        self.tail.last().map(|sample| sample.time)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tail.is_empty()
    }

    /// Adds a sample that is later than all others. `scratch` is a buffer.
    pub(crate) fn push(&mut self, sample: Sample, scratch: &mut Vec<u8>) {
        if self.tail.len() == PIECE {
            self.pack(scratch);
        }
        self.tail.push(sample);
    }

    fn pack(&mut self, piece: &mut Vec<u8>) {
        let [first, .., last] = &self.tail[..] else {
            return;
        };
        piece.clear();
        piece.extend(first.time.to_le_bytes());
        piece.extend(last.time.to_le_bytes());
        piece.extend([0; 2]);
        chunk::encode(&self.tail, piece);
        // At most a few hundred bytes, even if the samples cannot be compressed.
        let length = (piece.len() - PIECE_HEAD) as u16;
        piece[16..PIECE_HEAD].copy_from_slice(&length.to_le_bytes());
        self.packed.reserve_exact(piece.len());
        self.packed.extend_from_slice(piece);
        self.tail.clear();
    }

    /// The pieces: the times of the first and last sample, and the chunks.
    fn pieces(&self) -> impl Iterator<Item = (i64, i64, &[u8])> {
        let mut rest = &self.packed[..];
        std::iter::from_fn(move || {
            let (first, after) = rest.split_first_chunk()?;
            let (last, after) = after.split_first_chunk()?;
            let (length, after) = after.split_first_chunk()?;
            let length = usize::from(u16::from_le_bytes(*length));
            let (piece, after) = after.split_at_checked(length)?;
            rest = after;
            let [first, last] = [first, last].map(|time| i64::from_le_bytes(*time));
            Some((first, last, piece))
        })
    }

    /// Appends the samples from `start` to `end`, inclusive, and possibly some before and after.
    pub(crate) fn read(&self, start: i64, end: i64, out: &mut Vec<Sample>) {
        for (first, last, piece) in self.pieces() {
            if last >= start && first <= end {
                let read = chunk::decode(piece, out);
                debug_assert!(read.is_ok(), "pieces are written by this module");
            }
        }
        let from = self.tail.partition_point(|sample| sample.time < start);
        let to = self.tail.partition_point(|sample| sample.time <= end);
        out.extend_from_slice(&self.tail[from..to.max(from)]);
    }

    /// Whether there is a sample from `start` to `end`, inclusive.
    pub(crate) fn has(&self, start: i64, end: i64) -> bool {
        let inside = |time: i64| (start..=end).contains(&time);
        let mut pieces = self.pieces();
        let in_pieces = pieces.any(|(first, last, piece)| {
            // A piece that begins before and ends after may have a gap in between.
            inside(first)
                || inside(last)
                || (first < start && end < last && {
                    let mut samples = Vec::new();
                    let read = chunk::decode(piece, &mut samples);
                    debug_assert!(read.is_ok(), "pieces are written by `pack` only");
                    samples.iter().any(|sample| inside(sample.time))
                })
        });
        in_pieces || self.tail.iter().any(|sample| inside(sample.time))
    }

    /// Appends all samples as chunks.
    pub(crate) fn write_chunks(&self, out: &mut Vec<u8>) {
        for (.., piece) in self.pieces() {
            out.extend_from_slice(piece);
        }
        chunk::encode(&self.tail, out);
    }

    /// Keeps the samples for which `kept` returns `true`; returns how many were removed.
    pub(crate) fn keep(&mut self, kept: impl FnOnce(&[Sample]) -> &[Sample]) -> usize {
        let mut all = Vec::new();
        self.read(i64::MIN, i64::MAX, &mut all);
        let kept = kept(&all);
        if kept.len() < all.len() {
            *self = Self::default();
            let mut scratch = Vec::new();
            kept.iter()
                .for_each(|sample| self.push(*sample, &mut scratch));
        }
        all.len() - kept.len()
    }

    /// Its memory use besides itself.
    pub(crate) fn bytes(&self) -> usize {
        self.packed.capacity() + self.tail.capacity() * size_of::<Sample>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples(count: i64) -> Vec<Sample> {
        let sample = |at: i64| Sample {
            time: at * 15_000 + at % 3,
            value: (at * at) as f64 / 4.0,
        };
        (0..count).map(sample).collect()
    }

    fn head(samples: &[Sample]) -> Head {
        let mut head = Head::default();
        let mut scratch = Vec::new();
        samples
            .iter()
            .for_each(|sample| head.push(*sample, &mut scratch));
        head
    }

    proptest! {
        #[test]
        fn samples_round_trip(count in 0..300_i64, start in -10..310_i64, length in 0..310_i64) {
            let all = samples(count);
            let head = head(&all);
            prop_assert_eq!(head.is_empty(), all.is_empty());
            prop_assert_eq!(head.last(), all.last().map(|sample| sample.time));
            let (start, end) = (start * 15_000, (start + length) * 15_000);
            let mut read = Vec::new();
            head.read(start, end, &mut read);
            let inside = |sample: &&Sample| (start..=end).contains(&sample.time);
            let expected: Vec<_> = all.iter().filter(inside).copied().collect();
            let found: Vec<_> = read.iter().filter(inside).copied().collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(head.has(start, end), !expected.is_empty());
            let mut chunks = Vec::new();
            head.write_chunks(&mut chunks);
            let mut decoded = Vec::new();
            prop_assert_eq!(chunk::decode(&chunks, &mut decoded), Ok(()));
            prop_assert_eq!(decoded, all);
        }

        #[test]
        fn retain_keeps_selected_samples(count in 0..300_i64, from in 0..300_usize, to in 0..300_usize) {
            let all = samples(count);
            let to = to.min(all.len());
            let from = from.min(to);
            let mut kept = head(&all);
            prop_assert_eq!(kept.keep(|all| &all[from..to]), all.len() - (to - from));
            let mut read = Vec::new();
            kept.read(i64::MIN, i64::MAX, &mut read);
            prop_assert_eq!(&read[..], &all[from..to]);
            prop_assert_eq!(kept.bytes() == 0, read.is_empty());
        }
    }

    #[test]
    fn the_size_of_an_hour_is_bounded() {
        let constant: Vec<_> = samples(240)
            .iter()
            .map(|sample| Sample {
                value: 7.0,
                ..*sample
            })
            .collect();
        assert!(
            head(&constant).bytes() < 1_000,
            "{}",
            head(&constant).bytes()
        );
        assert!(
            head(&samples(240)).bytes() < 2_000,
            "{}",
            head(&samples(240)).bytes()
        );
    }
}
