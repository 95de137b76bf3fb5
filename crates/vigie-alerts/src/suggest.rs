//! Suggestions for misspelled words.

/// The candidate that was probably meant: it differs in a few letters, or starts with `typed`.
pub(crate) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = typed.chars().count();
    // Names are shorter; the cost of the distance is the product of the lengths.
    if length > 128 {
        return None;
    }
    let near = (length / 3).max(1);
    let begun = |candidate: &str| length > 2 && candidate.starts_with(typed);
    // The difference of the lengths is a lower bound of the distance.
    let fits =
        |candidate: &&str| begun(candidate) || candidate.chars().count().abs_diff(length) <= near;
    candidates
        .into_iter()
        .filter(fits)
        .map(|candidate| (strsim::osa_distance(typed, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= near || begun(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// The suggestion as a question.
pub(crate) fn did_you_mean<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(typed, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// A list of names, as in "a, b or c".
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let names: Vec<_> = names.into_iter().collect();
    match names.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::{listed, nearest};

    #[test]
    fn suggestions() {
        let keys = ["alert", "annotations", "expr"];
        assert_eq!(nearest("anotation", keys), Some("annotations"));
        assert_eq!(nearest("exrp", keys), Some("expr"));
        assert_eq!(nearest("ann", keys), Some("annotations"));
        assert_eq!(nearest("an", keys), None);
        assert_eq!(nearest("severity", keys), None);
        assert_eq!(nearest(&"a".repeat(10_000), keys), None);
    }

    #[test]
    fn names_in_words() {
        assert_eq!(listed([], "or"), "");
        assert_eq!(listed(["a"], "or"), "a");
        assert_eq!(listed(["a", "b", "c"], "or"), "a, b or c");
    }
}
