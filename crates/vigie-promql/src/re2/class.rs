//! Character classes and case folding.

use std::sync::LazyLock;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// Every character.
pub(super) fn any() -> ClassUnicode {
    of([('\0', char::MAX)])
}

/// Every character except newline.
pub(super) fn any_but_newline() -> ClassUnicode {
    of([('\0', '\x09'), ('\x0b', char::MAX)])
}

pub(super) fn is_any(class: &ClassUnicode) -> bool {
    matches!(class.ranges(), [range] if range.start() == '\0' && range.end() == char::MAX)
}

fn of<const N: usize>(ranges: [(char, char); N]) -> ClassUnicode {
    ClassUnicode::new(ranges.map(|(start, end)| ClassUnicodeRange::new(start, end)))
}

/// The characters from `low` to `high`, without surrogates.
pub(super) fn range(low: u32, high: u32) -> Option<ClassUnicodeRange> {
    const SURROGATES: std::ops::RangeInclusive<u32> = 0xd800..=0xdfff;
    let low = if SURROGATES.contains(&low) {
        0xe000
    } else {
        low
    };
    let high = if SURROGATES.contains(&high) {
        0xd7ff
    } else {
        high
    };
    let (low, high) = (char::from_u32(low)?, char::from_u32(high)?);
    (low <= high).then(|| ClassUnicodeRange::new(low, high))
}

/// The number of characters in the class.
pub(super) fn count(class: &ClassUnicode) -> usize {
    class.ranges().iter().map(ClassUnicodeRange::len).sum()
}

/// The characters that have other cases, about 2,800.
static WITH_CASES: LazyLock<ClassUnicode> = LazyLock::new(|| {
    // No characters beyond this range have other cases.
    let all = '\0'..'\u{20000}';
    let cased = all.filter(|c| has_cases(*c));
    ClassUnicode::new(cased.map(|c| ClassUnicodeRange::new(c, c)))
});

/// The class, with the other cases of its characters added.
pub(super) fn folded(class: ClassUnicode) -> ClassUnicode {
    let mut folded = class.clone();
    if count(&class) > 1000 {
        // Case folding looks up every character of a class, so reduce it to those with cases.
        folded.intersect(&WITH_CASES);
    }
    // Fails only without the Unicode tables, which are compiled in.
    let _ = folded.try_case_fold_simple();
    folded.union(&class);
    folded
}

/// The character in all its cases.
pub(super) fn cases(c: char) -> ClassUnicode {
    folded(of([(c, c)]))
}

pub(super) fn has_cases(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphabetic(),
        false => cases(c) != of([(c, c)]),
    }
}

/// A representative of the character's cases, the same for each of them.
pub(super) fn fold(c: char) -> char {
    match c.is_ascii() {
        true => c.to_ascii_uppercase(),
        false => cases(c).ranges().first().map_or(c, |range| range.start()),
    }
}

/// `\d`, `\s` and `\w`, which are ASCII-only; an upper-case letter negates.
pub(super) fn perl(letter: char) -> Option<(ClassUnicode, bool)> {
    let class = match letter.to_ascii_lowercase() {
        'd' => of([('0', '9')]),
        's' => of([('\t', '\n'), ('\x0c', '\r'), (' ', ' ')]),
        'w' => of([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        _ => return None,
    };
    Some((class, letter.is_ascii_uppercase()))
}

/// A POSIX class such as `[:alpha:]`, by the name between the colons.
pub(super) fn posix(name: &str) -> Option<ClassUnicode> {
    Some(match name {
        "alnum" => of([('0', '9'), ('A', 'Z'), ('a', 'z')]),
        "alpha" => of([('A', 'Z'), ('a', 'z')]),
        "ascii" => of([('\0', '\x7f')]),
        "blank" => of([('\t', '\t'), (' ', ' ')]),
        "cntrl" => of([('\0', '\x1f'), ('\x7f', '\x7f')]),
        "digit" => of([('0', '9')]),
        "graph" => of([('!', '~')]),
        "lower" => of([('a', 'z')]),
        "print" => of([(' ', '~')]),
        "punct" => of([('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        "space" => of([('\t', '\r'), (' ', ' ')]),
        "upper" => of([('A', 'Z')]),
        "word" => of([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        "xdigit" => of([('0', '9'), ('A', 'F'), ('a', 'f')]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_classes_are_folded_as_small_ones() {
        let beyond = ClassUnicode::new(range(0x20000, 0x0010_ffff));
        let mut folded_beyond = beyond.clone();
        assert!(folded_beyond.try_case_fold_simple().is_ok());
        assert_eq!(folded_beyond, beyond);
        for (low, high) in [(0, 0x0010_ffff), (0x100, 0x2100), (0x1e000, 0x0010_ffff)] {
            let class = ClassUnicode::new(range(low, high));
            let mut expected = class.clone();
            assert!(expected.try_case_fold_simple().is_ok());
            assert_eq!(folded(class), expected);
        }
    }
}
