//! Formats numbers as Prometheus does (`util/jsonutil/marshal.go` there).

use std::io::Write as _;

/// A time in seconds as a JSON number: `1435781451.781`, with a fraction of three digits or none.
pub(crate) fn timestamp(out: &mut Vec<u8>, millis: i64) {
    if millis < 0 {
        out.push(b'-');
    }
    let millis = millis.unsigned_abs();
    out.extend_from_slice(itoa::Buffer::new().format(millis / 1000).as_bytes());
    if !millis.is_multiple_of(1000) {
        let _ = write!(out, ".{:03}", millis % 1000);
    }
}

/// A time formatted as a float in Go: `4.5`.
pub(crate) fn float_timestamp(out: &mut Vec<u8>, millis: i64) {
    timestamp(out, millis);
    if millis % 1000 != 0 {
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// A value: plain digits, with an exponent below 1e-6 and from 1e21 on.
pub(crate) fn value(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if value == value.trunc() && size < 1e15 && (size != 0.0 || value.is_sign_positive()) {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else if (1e-5..1e15).contains(&size) {
        // In this range Prometheus writes digits without an exponent; integers, which `ryu` ends with ".0", are
        // already handled.
        out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    } else if !value.is_finite() || size == 0.0 || (1e-6..1e21).contains(&size) {
        plain(out, value);
    } else {
        scientific(out, value);
    }
}

/// A value with plain digits of any length: the format of scalars.
pub(crate) fn plain(out: &mut Vec<u8>, value: f64) {
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else {
        let _ = write!(out, "{value}");
    }
}

/// `1e-07`, `1.5e+21`: the exponent with a sign and at least two digits.
///
/// NaN and infinities are written as in [`plain`].
pub(crate) fn scientific(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        return plain(out, value);
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    let _ = write!(out, "{digits}e{sign}{exponent:0>2}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// As answered by Prometheus 2.42.
    #[test]
    fn values() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (123_456.789, "123456.789"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000"),
            (123_456_789_012_345_680.0, "123456789012345680"),
            (1e20, "100000000000000000000"),
            (999_999_999_999_999_900_000.0, "999999999999999900000"),
            (1e21, "1e+21"),
            (1.5e21, "1.5e+21"),
            (-1e30, "-1e+30"),
            (1e300, "1e+300"),
            (1e-5, "0.00001"),
            (1e-6, "0.000001"),
            (-1e-6, "-0.000001"),
            (9.99e-7, "9.99e-07"),
            (1e-7, "1e-07"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(written(|out| value(out, number)), expected);
        }
        assert_eq!(written(|out| plain(out, 1e21)), "1000000000000000000000");
        assert_eq!(written(|out| plain(out, 1e-7)), "0.0000001");
        assert_eq!(written(|out| plain(out, -0.0)), "-0");
    }

    #[test]
    fn times() {
        for (millis, exact, float) in [
            (0, "0", "0"),
            (1, "0.001", "0.001"),
            (-1, "-0.001", "-0.001"),
            (1_500, "1.500", "1.5"),
            (-1_500, "-1.500", "-1.5"),
            (100_000, "100", "100"),
            (1_435_781_451_781, "1435781451.781", "1435781451.781"),
            (i64::MIN, "-9223372036854775.808", "-9223372036854775.808"),
        ] {
            assert_eq!(written(|out| timestamp(out, millis)), exact);
            assert_eq!(written(|out| float_timestamp(out, millis)), float);
        }
    }

    proptest::proptest! {
        #[test]
        fn values_round_trip(bits: u64) {
            let number = f64::from_bits(bits);
            let text = written(|out| value(out, number));
            let read: f64 = text.parse().unwrap();
            proptest::prop_assert!(read == number || (read.is_nan() && number.is_nan()), "{text}");
        }

        #[test]
        fn common_values_have_the_shortest_digits(number in -1e7..1e7_f64) {
            proptest::prop_assert_eq!(written(|out| value(out, number)), written(|out| plain(out, number)));
        }
    }
}
