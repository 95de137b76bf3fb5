//! "Did you mean …?"

/// The candidate closest to `typed`, if at most a third of its characters differ.
pub(crate) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = (typed.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(typed, candidate), candidate))
        .filter(|(distance, _)| *distance <= near)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_or_nothing() {
        let keys = ["listen", "app", "threads"];
        assert_eq!(nearest("lisen", keys), Some("listen"));
        assert_eq!(nearest("thread", keys), Some("threads"));
        assert_eq!(nearest("port", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
