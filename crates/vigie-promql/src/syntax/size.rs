//! An upper bound of a syntax tree's memory, estimated from the text before it is parsed.

/// Memory per byte of text outside of strings. The densest text is a run of operators between single digits.
const CODE: usize = 288;

/// Memory per byte of a string: the string itself, and its values if it is a set of literals.
const STRING: usize = 32;

/// Memory for a compiled regular expression, for each `.` and each Unicode class in it, and the maximum for one.
const REGEX: usize = 16 << 10;
const ANY: usize = 512;
const CLASS: usize = 16 << 10;
const MAX_REGEX: usize = 2 << 20;

/// The approximate maximum of memory, in bytes, that parsing `text` and then its tree with compiled matchers takes.
#[must_use]
pub fn tree_bytes(text: &str) -> usize {
    let text = text.as_bytes();
    let (mut at, mut total, mut before) = (0, 0_usize, b' ');
    while at < text.len() {
        let byte = text[at];
        at += 1;
        total = total.saturating_add(CODE);
        if matches!(byte, b'"' | b'\'' | b'`') {
            let start = at;
            while at < text.len() && text[at] != byte {
                at += if text[at] == b'\\' && byte != b'`' {
                    2
                } else {
                    1
                };
            }
            let string = &text[start..at.min(text.len())];
            at += 1;
            total = total.saturating_add(STRING.saturating_mul(string.len()));
            if before == b'~' {
                total = total.saturating_add(regex_bytes(string));
            }
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    total
}

/// Every repetition is assumed to repeat the whole expression, as nested ones do.
fn regex_bytes(pattern: &[u8]) -> usize {
    let (mut bytes, mut repeated) = (REGEX, 1_usize);
    for (at, &byte) in pattern.iter().enumerate() {
        let rest = &pattern[at + 1..];
        bytes = bytes.saturating_add(match byte {
            b'.' => ANY,
            b'\\' if matches!(rest.first(), Some(b'p' | b'P')) => CLASS,
            _ => STRING,
        });
        if byte == b'{' {
            let counts = rest.iter().take_while(|byte| **byte != b'}');
            let counts: Vec<u8> = counts.copied().take(16).collect();
            let numbers = counts
                .split(|byte| *byte == b',')
                .filter_map(|number| std::str::from_utf8(number).ok()?.parse::<usize>().ok());
            repeated = repeated.saturating_mul(numbers.max().unwrap_or(1).max(1));
        }
    }
    bytes.saturating_mul(repeated).min(MAX_REGEX)
}

#[cfg(test)]
mod tests {
    use super::tree_bytes;

    #[test]
    fn regular_expressions_count_more() {
        let one = |pattern: &str| tree_bytes(&format!("x{{a=~{pattern:?}}}"));
        let plain = tree_bytes("x{a=\"b|c\"}");
        assert!(one("b|c") > plain + 10_000 && one("b|c") < plain + 20_000);
        assert!(one("(x{900}){3}") > 700_000);
        assert!(one("(.{900}){900}") < 3 << 20);
        assert!(one("\\pL\\pL") > 40_000);
        // 650 names, as sent by Grafana for "All".
        let all = ["name-of-some-pod-0123456789"; 650].join("|");
        assert!(one(&all) < 2 << 20, "{}", one(&all));
    }

    #[test]
    fn strings_count_less() {
        assert_eq!(tree_bytes(""), 0);
        assert_eq!(tree_bytes("1+1"), 3 * 288);
        assert_eq!(tree_bytes(r#"x{a="b'`\"c"}"#), 6 * 288 + 6 * 32);
        assert_eq!(tree_bytes(r"x{a=`\`}"), 6 * 288 + 32);
        assert_eq!(tree_bytes("'open"), 288 + 4 * 32);
    }
}
