//! Variable-length integers (LEB128, as in Protocol Buffers).

/// Appends seven bits per byte, lowest first; the top bit marks that another byte follows.
pub(crate) fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number from the start of `bytes`.
pub(crate) fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Moves the sign to the lowest bit, so that numbers close to 0 are small: 0, -1, 1, -2, …
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub(crate) fn unzigzag(folded: u64) -> i64 {
    (folded >> 1) as i64 ^ -((folded & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_round_trip(value: u64, shift in 0..64, rest: u8) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            write(&mut bytes, value);
            bytes.push(rest);
            let mut left = &bytes[..];
            prop_assert_eq!(read(&mut left), Some(value));
            prop_assert_eq!(left, &[rest][..]);
            prop_assert_eq!(unzigzag(zigzag(value as i64)), value as i64);
        }

        #[test]
        fn decoding_arbitrary_bytes_does_not_panic(bytes: Vec<u8>) {
            read(&mut &bytes[..]);
        }
    }

    #[test]
    fn small_numbers_are_short() {
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
        assert_eq!(read(&mut &[0xff; 9][..]), None);
        let mut most = vec![0xff; 9];
        most.push(1);
        assert_eq!(read(&mut &most[..]), Some(u64::MAX));
        most[9] = 2;
        assert_eq!(read(&mut &most[..]), None, "more than 64 bits");
    }
}
