//! Character classes of RFC 9110 and RFC 3986.

/// Bits of [`CLASS`].
const TOKEN: u8 = 1;
const HOST: u8 = 2;

const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric() {
            class[byte] = TOKEN | HOST;
        }
        byte += 1;
    }
    let class = with(class, b"!#$%&'*+-.^_`|~", TOKEN);
    with(class, b"!$%&'()*+,-.:;=[]_~", HOST)
};

const fn with(mut class: [u8; 256], bytes: &[u8], bit: u8) -> [u8; 256] {
    let mut at = 0;
    while at < bytes.len() {
        class[bytes[at] as usize] |= bit;
        at += 1;
    }
    class
}

/// RFC 9110, section 5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    CLASS[usize::from(byte)] & TOKEN != 0
}

/// The length of the token at the beginning of `bytes`.
pub(crate) fn token(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|&byte| !is_token(byte));
    end.unwrap_or(bytes.len())
}

/// Whether `bytes` can be a host and port (RFC 3986, section 3.2), by their characters alone.
pub(crate) fn is_host(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|&byte| CLASS[usize::from(byte)] & HOST != 0)
}

/// Whether `bytes` contain a control character other than HTAB.
pub(crate) fn has_control(bytes: &[u8]) -> bool {
    // Without an early exit the loop is vectorized.
    bytes.iter().fold(false, |found, &byte| {
        found | ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f)
    })
}

/// Whether all `bytes` are visible ASCII characters.
pub(crate) fn is_visible(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |visible, &byte| {
        visible & (byte > b' ') & (byte < 0x7f)
    })
}

/// Without spaces and tabs at both ends.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
