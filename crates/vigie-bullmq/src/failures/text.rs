//! Texts written by jobs, made fit to be shown: one short line without invisible or controlling characters.

/// Marks the place where a text was cut.
const CUT: char = '…';

/// One line of at most `most` bytes of the text. If the text is longer, the last word is dropped, because a part of a word cannot be
/// recognized as a secret.
pub(crate) fn line(text: &[u8], most: usize) -> String {
    let is_cut = text.len() > most;
    let text = String::from_utf8_lossy(&text[..text.len().min(most)]);
    let mut line = String::with_capacity(text.len());
    let mut chars = text.chars().filter(|char| !is_invisible(*char)).peekable();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' && chars.next_if_eq(&'[').is_some() {
            // A colour of a terminal: parameters up to a final letter.
            while chars.next_if(|char| matches!(char, ' '..='?')).is_some() {}
            chars.next_if(|char| matches!(char, '@'..='~'));
            continue;
        }
        match char.is_whitespace() || char.is_control() {
            true if line.is_empty() || line.ends_with(' ') => {}
            true => line.push(' '),
            false => line.push(char),
        }
    }
    if is_cut {
        line.truncate(line.rfind(' ').map_or(0, |space| space + 1));
        line.push(CUT);
    }
    line.truncate(line.trim_end().len());
    line
}

/// The text, cut to at most `most` bytes.
pub(crate) fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        let room = most - CUT.len_utf8();
        text.truncate(text.floor_char_boundary(room));
        text.push(CUT);
    }
    text
}

/// Characters without a shape, among them those that change the direction of the text around them.
fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_and_control_characters_become_spaces() {
        for (text, expected) in [
            (&b"a\n\tb  c\r\n"[..], "a b c"),
            (b"\x1b[1;31mred\x1b[0m\x07!", "red !"),
            (b"a \x1b", "a"),
            (b"a\x1b[", "a"),
            ("a\u{202e}b\u{200b}c\u{2028}d".as_bytes(), "abc d"),
            (b"\xff\xfea", "\u{fffd}\u{fffd}a"),
            (b"  ", ""),
        ] {
            assert_eq!(line(text, 100), expected);
        }
    }

    #[test]
    fn a_long_text_loses_the_word_that_is_cut() {
        assert_eq!(line(b"for bob@example.org", 12), "for …");
        assert_eq!(line(b"bob@example.org", 12), "…");
        assert_eq!(line(b"for bob@example.org", 19), "for bob@example.org");
        assert_eq!(shortened("äöü".into(), 6), "äöü");
        assert_eq!(shortened("äöüß".into(), 6), "ä…");
    }

    proptest! {
        #[test]
        fn any_bytes_become_a_short_line(text in prop::collection::vec(any::<u8>(), 0..300), most in 0usize..300) {
            let line = line(&text, most);
            prop_assert!(!line.chars().any(|char| char.is_control() || is_invisible(char)), "{line:?}");
            prop_assert!(!line.contains("  ") && line.trim() == line, "{line:?}");
            prop_assert!(shortened(line, 60).len() <= 60);
        }
    }
}
