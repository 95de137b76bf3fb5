//! The versions of BullMQ.

/// Whether the version in `meta` is older than `than`, or absent.
pub(crate) fn is_before(version: Option<&[u8]>, than: [u32; 3]) -> bool {
    let number = version
        .and_then(|version| std::str::from_utf8(version).ok())
        .and_then(|version| version.rsplit(':').next());
    let mut parts = number.unwrap_or_default().split(['.', '-']);
    let mut part = || parts.next().and_then(|part| part.parse().ok());
    let Some(major) = part() else {
        return true;
    };
    [major, part().unwrap_or(0), part().unwrap_or(0)] < than
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared() {
        let before = |version: &str| is_before(Some(version.as_bytes()), [5, 12, 12]);
        assert!(before("bullmq:4.18.3") && before("bullmq:5.12.11") && before("bullmq:5.9.99"));
        assert!(before("") && before("bullmq-pro") && is_before(None, [5, 0, 0]));
        assert!(!before("bullmq:5.12.12") && !before("bullmq-pro:7.0.0-beta.1"));
    }
}
