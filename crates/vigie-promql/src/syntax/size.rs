//! How much memory a syntax tree may take, told from the text before it is parsed.

/// Bytes for each byte of text outside of strings. The densest text is a run of operators between single digits.
const CODE: usize = 288;

/// Bytes for each byte of a string: the string itself, and where it is a regular expression what is made of it.
const STRING: usize = 32;

/// About the most bytes that parsing `text` takes, and then its tree. Compiled regular expressions may take more.
#[must_use]
pub fn tree_bytes(text: &str) -> usize {
    let mut bytes = text.bytes();
    let mut total = 0_usize;
    while let Some(byte) = bytes.next() {
        total = total.saturating_add(CODE);
        if !matches!(byte, b'"' | b'\'' | b'`') {
            continue;
        }
        while let Some(inner) = bytes.next().filter(|&inner| inner != byte) {
            total = total.saturating_add(STRING);
            if inner == b'\\' && byte != b'`' {
                bytes.next();
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::tree_bytes;

    #[test]
    fn strings_count_less() {
        assert_eq!(tree_bytes(""), 0);
        assert_eq!(tree_bytes("1+1"), 3 * 288);
        assert_eq!(tree_bytes(r#"x{a="b'`\"c"}"#), 6 * 288 + 5 * 32);
        assert_eq!(tree_bytes(r"x{a=`\`}"), 6 * 288 + 32);
        assert_eq!(tree_bytes("'open"), 288 + 4 * 32);
    }
}
