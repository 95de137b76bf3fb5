//! Slots: the partitions of a cluster's keys.
//!
//! From the [specification](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model):
//! the CRC16 of the key, or of its hash tag if it has one, modulo 16,384.

use std::fmt;
use std::ops::RangeInclusive;

/// The number of slots of a cluster.
pub const SLOTS: u16 = 16_384;

/// The slot of a key.
#[must_use]
pub fn slot(key: &[u8]) -> u16 {
    crc16(tag(key).unwrap_or(key)) % SLOTS
}

/// The hash tag of a key: the text between its first `{` and the first `}` after it, unless that is empty. Keys with
/// the same tag are in the same slot.
#[must_use]
pub fn tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|byte| *byte == b'{')?;
    let rest = &key[open + 1..];
    let close = rest.iter().position(|byte| *byte == b'}')?;
    (close > 0).then(|| &rest[..close])
}

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, not reflected.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)]
    })
}

static TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// A set of slots.
#[derive(Clone, PartialEq, Eq)]
pub struct Slots(Box<[u64; SLOTS as usize / 64]>);

impl Slots {
    /// The empty set.
    #[must_use]
    pub fn none() -> Self {
        Self(Box::new([0; SLOTS as usize / 64]))
    }

    /// The set of all slots.
    #[must_use]
    pub fn all() -> Self {
        Self(Box::new([u64::MAX; SLOTS as usize / 64]))
    }

    /// Adds a range; numbers that are not slots are ignored.
    pub fn add(&mut self, range: RangeInclusive<u16>) {
        let end = (*range.end()).min(SLOTS - 1);
        for slot in *range.start()..=end {
            self.0[usize::from(slot / 64)] |= 1 << (slot % 64);
        }
    }

    /// Adds all of another set.
    pub fn add_all(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0.iter()) {
            *mine |= theirs;
        }
    }

    /// Removes the slots that are not in another set.
    pub fn keep_only(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0.iter()) {
            *mine &= theirs;
        }
    }

    /// Whether a slot is in the set.
    #[must_use]
    pub fn contains(&self, slot: u16) -> bool {
        let bits = self.0.get(usize::from(slot / 64));
        bits.is_some_and(|bits| bits >> (slot % 64) & 1 == 1)
    }

    /// The number of slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slots({} of {SLOTS})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn examples_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (key, expected) in [
            ("{user1000}.following", Some("user1000")),
            ("foo{}{bar}", None),
            ("foo{{bar}}zap", Some("{bar")),
            ("foo{bar}{zap}", Some("bar")),
            ("foo", None),
            ("foo{bar", None),
            ("foo}bar{", None),
        ] {
            assert_eq!(tag(key.as_bytes()), expected.map(str::as_bytes), "{key}");
        }
        let same = [b"{user1000}.following".as_slice(), b"{user1000}.followers"];
        assert_eq!(slot(same[0]), slot(same[1]));
        assert_eq!(slot(same[0]), slot(b"user1000"));
        // Results of CLUSTER KEYSLOT in Redis 7.0.15.
        for (key, expected) in [
            ("", 0),
            ("foo", 12182),
            ("123456789", 12739),
            ("somekey", 11058),
            ("bull:{a}:meta", 15495),
            ("foo{}{bar}", 8363),
        ] {
            assert_eq!(slot(key.as_bytes()), expected, "{key:?}");
        }
    }

    proptest! {
        /// Bitwise polynomial division.
        #[test]
        fn the_table_equals_bitwise_division(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut crc = 0u16;
            for bit in bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)) {
                let carry = (crc >> 15) as u8 != bit;
                crc = crc << 1 ^ if carry { 0x1021 } else { 0 };
            }
            prop_assert_eq!(crc16(&bytes), crc);
        }

        #[test]
        fn any_key_has_a_slot_and_its_tag_decides(key in prop::collection::vec(any::<u8>(), 0..40), rest in "[^}]{0,9}") {
            prop_assert!(slot(&key) < SLOTS);
            if let Some(tag) = tag(&key) {
                let is_one = !tag.is_empty() && !tag.contains(&b'}');
                prop_assert!(is_one, "{tag:?}");
                let other = [b"{", tag, b"}", rest.as_bytes()].concat();
                prop_assert_eq!(slot(&other), slot(&key));
            }
        }

        #[test]
        fn a_set_holds_what_was_added(ranges in prop::collection::vec(any::<(u16, u16)>(), 0..6), asked in any::<u16>()) {
            let (mut slots, mut half, mut model) = (Slots::none(), Slots::none(), BTreeSet::new());
            for (n, (from, to)) in ranges.into_iter().enumerate() {
                let set = if n % 2 == 0 { &mut slots } else { &mut half };
                set.add(from..=to);
                model.extend((from..=to).filter(|slot| *slot < SLOTS));
            }
            slots.add_all(&half);
            prop_assert_eq!(slots.len(), model.len());
            prop_assert_eq!(slots.contains(asked), model.contains(&asked));
            prop_assert_eq!(Slots::all().contains(asked), asked < SLOTS);
            let mut both = slots.clone();
            both.keep_only(&half);
            prop_assert_eq!(both, half);
        }
    }
}
