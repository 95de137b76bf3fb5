//! The names of a queue's keys in Redis.

use std::fmt;

/// A longer key is not taken for a queue's: its name becomes a label.
const LONGEST: usize = 512;
const META: &str = ":meta";

/// A queue by its prefix and name: `bull` and `mails` for the keys `bull:mails:…`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct QueueKey {
    base: Box<str>,
    /// Where the colon between prefix and name is.
    colon: usize,
}

impl QueueKey {
    #[cfg(test)]
    pub(crate) fn new(prefix: &str, name: &str) -> Self {
        Self {
            base: format!("{prefix}:{name}").into(),
            colon: prefix.len(),
        }
    }

    /// The queue whose `meta` key this is, if it can be one.
    ///
    /// Read from the right: queue names hold no colon (BullMQ refuses them), prefixes may.
    pub(crate) fn from_meta(key: &[u8]) -> Option<Self> {
        if key.len() > LONGEST {
            return None;
        }
        let base = std::str::from_utf8(key).ok()?.strip_suffix(META)?;
        let (prefix, name) = base.rsplit_once(':')?;
        (!name.is_empty()).then(|| Self {
            base: base.into(),
            colon: prefix.len(),
        })
    }

    /// The prefix, `bull` unless the app chose another.
    pub(crate) fn prefix(&self) -> &str {
        &self.base[..self.colon]
    }

    /// The queue's name.
    pub(crate) fn name(&self) -> &str {
        &self.base[self.colon + 1..]
    }

    /// The key of one of the queue's parts: `wait`, `events`, a job's id.
    pub(crate) fn part(&self, part: &str) -> String {
        format!("{}:{part}", self.base)
    }

    /// The key of a job, whose id may be any bytes.
    pub(crate) fn job(&self, id: &[u8]) -> Vec<u8> {
        [self.base.as_bytes(), b":", id].concat()
    }

    /// Queues of one name side by side, whatever their prefix.
    pub(crate) fn order(&self) -> (&str, &str) {
        (self.name(), self.prefix())
    }
}

impl fmt::Display for QueueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Debug for QueueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.base, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_read_from_the_right() {
        for (key, prefix, name) in [
            ("bull:mails:meta", "bull", "mails"),
            ("{bull}:mails:meta", "{bull}", "mails"),
            ("shop:eu:mails:meta", "shop:eu", "mails"),
            (":mails:meta", "", "mails"),
            ("bull:meta:meta", "bull", "meta"),
            ("bull:süß \"q\"\n:meta", "bull", "süß \"q\"\n"),
        ] {
            let queue = QueueKey::from_meta(key.as_bytes()).unwrap();
            assert_eq!((queue.prefix(), queue.name()), (prefix, name));
            assert_eq!(queue.part("meta"), key);
            assert_eq!(queue, QueueKey::new(prefix, name));
        }
    }

    #[test]
    fn other_keys_are_no_queues() {
        let long = format!("bull:{}:meta", "q".repeat(LONGEST));
        for key in [
            "meta",
            ":meta",
            "q:meta",
            "bull::meta",
            "bull:q:metal",
            &long,
        ] {
            assert_eq!(QueueKey::from_meta(key.as_bytes()), None, "{key}");
        }
        assert_eq!(QueueKey::from_meta(b"bull:\xff:meta"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(key in prop::collection::vec(any::<u8>(), 0..40)) {
            let key = [&key[..], b":meta"].concat();
            if let Some(queue) = QueueKey::from_meta(&key) {
                let again = queue.part("meta");
                prop_assert_eq!(again.as_bytes(), &key[..]);
                prop_assert!(!queue.name().contains(':'));
            }
        }
    }
}
