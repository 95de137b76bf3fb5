//! What may be a name, as Prometheus 2.42 has it.

/// Whether `text` may name a label or an annotation: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(super) fn is_label(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether `text` may name a metric: a label's name, or one with colons.
pub(super) fn is_metric(text: &str) -> bool {
    is_label(&text.replace(':', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, label, metric) in [
            ("a", true, true),
            ("_a9", true, true),
            ("a:b", false, true),
            (":a", false, true),
            ("9a", false, false),
            ("a-b", false, false),
            ("é", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_label(text), is_metric(text)), (label, metric), "{text}");
        }
    }
}
