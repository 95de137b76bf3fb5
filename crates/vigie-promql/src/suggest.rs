//! Suggestions for misspelled words.

/// Names are shorter; the cost of the distance is the product of the lengths.
const MAX_CHARACTERS: usize = 128;

/// The candidate that was probably meant: at most a third of its letters differ, in any case, or it begins with `typed`.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let length = typed.chars().count();
    if length > MAX_CHARACTERS {
        return None;
    }
    let near = (length / 3).max(1);
    let candidates = candidates.into_iter().filter_map(|candidate| {
        let lower = candidate.to_lowercase();
        let begins = length > 2 && lower.starts_with(&typed);
        // The difference of the lengths is a lower bound of the distance.
        if !begins && lower.chars().count().abs_diff(length) > near {
            return None;
        }
        let distance = strsim::osa_distance(&typed, &lower);
        let fits = begins || distance <= near && length > 0;
        fits.then_some((distance, !begins, candidate))
    });
    candidates.min().map(|(_, _, candidate)| candidate)
}

/// The suggestion as a question.
pub fn did_you_mean<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(typed, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggestions() {
        let keys = ["alert", "annotations", "expr", "rate", "irate", "x"];
        for (typed, expected) in [
            ("anotation", Some("annotations")),
            ("exrp", Some("expr")),
            ("Expr", Some("expr")),
            ("ann", Some("annotations")),
            ("an", None),
            ("rat", Some("rate")),
            ("severity", None),
            ("y", Some("x")),
            ("", None),
            (&"a".repeat(10_000), None),
        ] {
            assert_eq!(nearest(typed, keys), expected, "{typed:.20}");
        }
        let keys = ["listen", "app", "threads"];
        for (typed, expected) in [
            ("lisen", Some("listen")),
            ("thread", Some("threads")),
            ("port", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, keys), expected, "{typed}");
        }
    }
}
