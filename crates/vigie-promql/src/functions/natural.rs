//! Natural order: digits in texts are compared as numbers.

use std::cmp::Ordering;

/// Compares texts chunk by chunk, digits with digits as numbers: `a2` precedes `a10`.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let ((first, rest), (second, other)) = (chunk(a), chunk(b));
        let order = match (first.parse::<i64>(), second.parse::<i64>()) {
            (Ok(first), Ok(second)) => first.cmp(&second),
            _ => first.cmp(second),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest, other);
    }
    a.len().cmp(&b.len())
}

/// Splits off the leading digits, or what precedes the next digit.
fn chunk(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits);
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn numbers_are_compared_by_value() {
        let mut texts = [
            "cpu10",
            "4m600",
            "cpu9",
            "",
            "4m1000",
            "cpu",
            "99999999999999999999a",
        ];
        texts.sort_by(|a, b| natural(a, b));
        let sorted = [
            "",
            "4m600",
            "4m1000",
            "99999999999999999999a",
            "cpu",
            "cpu9",
            "cpu10",
        ];
        assert_eq!(texts, sorted);
    }
}
