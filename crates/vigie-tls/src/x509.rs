//! The fields of an X.509 certificate that the verifier needs (RFC 5280, section 4.1).
//!
//! The TLS library reads certificates itself, but not those of version 1, and shows no common name. The
//! fields read here are trusted only with a root's signature on them.

use std::time::Duration;

use rustls::pki_types::UnixTime;

const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// `id-at-commonName`, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// `id-ce-subjectAltName`, 2.5.29.17.
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// `id-ce-nameConstraints`, 2.5.29.30.
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];

/// A certificate, as far as it was needed.
pub(crate) struct Certificate<'a> {
    /// The part that is signed.
    pub(crate) signed: &'a [u8],
    pub(crate) signature_algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) is_version_3: bool,
    pub(crate) issuer: &'a [u8],
    pub(crate) subject: &'a [u8],
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    /// The whole `SubjectPublicKeyInfo`.
    pub(crate) key_info: &'a [u8],
    pub(crate) key_algorithm: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) common_name: Option<&'a str>,
    pub(crate) dns_names: Vec<&'a str>,
    /// In network order: 4 or 16 bytes.
    pub(crate) ip_addresses: Vec<&'a [u8]>,
    /// Whether a CA restricts the names in certificates below it.
    pub(crate) constrains_names: bool,
}

impl<'a> Certificate<'a> {
    /// Reads one in DER; `None` if it is malformed.
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(Reader(der).of(SEQUENCE)?);
        let (tag, body, signed) = outer.any()?;
        let signature_algorithm = outer.of(SEQUENCE)?;
        let signature = bits(outer.of(BIT_STRING)?)?;
        let mut body = Reader((tag == SEQUENCE).then_some(body)?);
        // Without this field it is version 1.
        let is_version_3 = body.optional(VERSION) == Some(&[0x02, 0x01, 0x02]);
        let _serial = body.any()?;
        let _algorithm = body.of(SEQUENCE)?;
        let issuer = body.of(SEQUENCE)?;
        let mut validity = Reader(body.of(SEQUENCE)?);
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        let subject = body.of(SEQUENCE)?;
        let (_, key, key_info) = body.any()?;
        let mut key = Reader(key);
        let key_algorithm = key.of(SEQUENCE)?;
        let key = bits(key.of(BIT_STRING)?)?;
        let mut certificate = Self {
            signed,
            signature_algorithm,
            signature,
            is_version_3,
            issuer,
            subject,
            not_before,
            not_after,
            key_info,
            key_algorithm,
            key,
            common_name: common_name(subject),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            constrains_names: false,
        };
        // Unique identifiers may stand before the extensions.
        while !body.0.is_empty() {
            let (tag, content, _) = body.any()?;
            if tag == EXTENSIONS {
                certificate.read_extensions(Reader(content).of(SEQUENCE)?)?;
            }
        }
        Some(certificate)
    }

    fn read_extensions(&mut self, extensions: &'a [u8]) -> Option<()> {
        let mut extensions = Reader(extensions);
        while !extensions.0.is_empty() {
            let mut extension = Reader(extensions.of(SEQUENCE)?);
            let kind = extension.of(OBJECT_IDENTIFIER)?;
            self.constrains_names |= kind == NAME_CONSTRAINTS;
            if kind != ALTERNATIVE_NAME {
                continue;
            }
            // Whether it is critical stands between.
            let value = extension.optional(OCTET_STRING);
            let value = match value {
                Some(value) => value,
                None => {
                    extension.any()?;
                    extension.of(OCTET_STRING)?
                }
            };
            let mut names = Reader(Reader(value).of(SEQUENCE)?);
            while !names.0.is_empty() {
                match names.any()? {
                    (DNS_NAME, name, _) => self.dns_names.extend(std::str::from_utf8(name)),
                    (IP_ADDRESS, address, _) => self.ip_addresses.push(address),
                    _ => {}
                }
            }
        }
        Some(())
    }
}

/// The last common name of a subject, which is the most specific one.
fn common_name(subject: &[u8]) -> Option<&str> {
    let mut found = None;
    let mut parts = Reader(subject);
    while let Some(part) = parts.of(SET) {
        let mut pair = Reader(Reader(part).of(SEQUENCE)?);
        if pair.of(OBJECT_IDENTIFIER)? == COMMON_NAME {
            found = std::str::from_utf8(pair.any()?.1).ok();
        }
    }
    found
}

/// The identifier of an algorithm, in DER without its head.
pub(crate) fn object_identifier(algorithm: &[u8]) -> Option<&[u8]> {
    Reader(algorithm).of(OBJECT_IDENTIFIER)
}

/// The bytes of a bit string without unused bits.
fn bits(content: &[u8]) -> Option<&[u8]> {
    let (unused, bytes) = content.split_first()?;
    (*unused == 0).then_some(bytes)
}

/// The rest of a sequence of DER elements.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next element: its tag, its content, and all of it.
    fn any(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = match first {
            0..=0x7f => usize::from(first),
            0x81..=0x83 => {
                let (bytes, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = behind;
                let shift = |length, byte: &u8| length << 8 | usize::from(*byte);
                bytes.iter().fold(0, shift)
            }
            _ => return None,
        };
        let (content, behind) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - behind.len()];
        self.0 = behind;
        Some((tag, content, whole))
    }

    /// The content of the next element, which has this tag.
    fn of(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, _) = self.any()?;
        (found == tag).then_some(content)
    }

    /// The content of the next element if it has this tag; otherwise it stays.
    fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        match self.0.first() {
            Some(next) if *next == tag => self.of(tag),
            _ => None,
        }
    }

    fn time(&mut self) -> Option<UnixTime> {
        let (tag, content, _) = self.any()?;
        let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
        let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        let (year, rest) = match (tag, text.len(), all_digits) {
            // RFC 5280, section 4.1.2.5.1: from 50 on it is the last century.
            (UTC_TIME, 12, true) => match number(0, 2)? {
                year @ 0..50 => (2000 + year, 2),
                year => (1900 + year, 2),
            },
            (GENERALIZED_TIME, 14, true) => (number(0, 4)?, 4),
            _ => return None,
        };
        let field = |at: usize| number(rest + 2 * at, rest + 2 * at + 2);
        let days = days_since_1970(year, field(0)?, field(1)?);
        let seconds = ((days * 24 + field(2)?) * 60 + field(3)?) * 60 + field(4)?;
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// In the Gregorian calendar. The year is counted from March, so that a leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    // March 0000 lies 719,468 days before 1970.
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        for (date, days) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2038, 1, 19), 24_855),
        ] {
            assert_eq!(days_since_1970(date.0, date.1, date.2), days);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8..=255, 0..200)) {
            let _ = Certificate::read(&bytes);
        }
    }
}
