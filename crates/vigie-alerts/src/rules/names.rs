//! Valid names, as Prometheus 2.42 defines them.

/// Whether `text` is a valid name of a label or annotation: `[a-zA-Z_][a-zA-Z0-9_]*`.
#[must_use]
pub fn is_label(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether `text` is a valid name of a metric: as of a label, with colons too.
#[must_use]
pub fn is_metric(text: &str) -> bool {
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
