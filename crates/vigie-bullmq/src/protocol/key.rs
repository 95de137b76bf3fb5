//! The names of a queue's keys in Redis.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Longer keys are ignored, because the name becomes a label.
const LONGEST: usize = 512;
/// Keys by which queues are found: that of BullMQ, and that of its predecessor Bull.
const FOUND_BY: [&str; 2] = [":meta", ":id"];
/// The default prefix, plain and as a hash tag.
const USUAL: [&str; 2] = ["bull", "{bull}"];

/// A queue, identified by prefix and name: `bull` and `mails` for keys `bull:mails:…`.
///
/// Two values are equal if their keys are, regardless of the split between prefix and name.
#[derive(Clone)]
pub(crate) struct QueueKey {
    base: Box<str>,
    /// The position of the colon between prefix and name.
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

    /// The queue to which a `meta` or `id` key may belong.
    ///
    /// The key is split at the right: queue names contain no colon (BullMQ rejects them), prefixes may.
    pub(crate) fn found(key: &[u8]) -> Option<Self> {
        if key.len() > LONGEST {
            return None;
        }
        let key = std::str::from_utf8(key).ok()?;
        let base = FOUND_BY.iter().find_map(|end| key.strip_suffix(end))?;
        let (prefix, name) = base.rsplit_once(':')?;
        (!name.is_empty()).then(|| Self {
            base: base.into(),
            colon: prefix.len(),
        })
    }

    /// Adapts the split to versions that allow colons in names: with a default prefix, the rest is the name.
    pub(crate) fn of_old(mut self) -> Self {
        if let Some((prefix, _)) = self.base.split_once(':')
            && USUAL.contains(&prefix)
        {
            self.colon = prefix.len();
        }
        self
    }

    /// The prefix, by default `bull`.
    pub(crate) fn prefix(&self) -> &str {
        &self.base[..self.colon]
    }

    /// The queue's name.
    pub(crate) fn name(&self) -> &str {
        &self.base[self.colon + 1..]
    }

    /// The key of a part of the queue, such as `wait`, `events` or a job id.
    pub(crate) fn part(&self, part: &str) -> String {
        format!("{}:{part}", self.base)
    }

    /// The key of a job, whose id may contain any bytes.
    pub(crate) fn job(&self, id: &[u8]) -> Vec<u8> {
        [self.base.as_bytes(), b":", id].concat()
    }

    /// Whether all keys of the queue have the same hash tag, and thus the same slot.
    pub(crate) fn is_tagged(&self) -> bool {
        vigie_redis::tag(self.base.as_bytes()).is_some()
    }

    /// The cluster slot of all keys of a [tagged](Self::is_tagged) queue.
    pub(crate) fn slot(&self) -> u16 {
        vigie_redis::slot(self.base.as_bytes())
    }

    /// Sort order: queues of the same name are adjacent.
    pub(crate) fn order(&self) -> (&str, &str) {
        (self.name(), self.prefix())
    }
}

impl PartialEq for QueueKey {
    fn eq(&self, other: &Self) -> bool {
        self.base == other.base
    }
}

impl Eq for QueueKey {}

impl Hash for QueueKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.base.hash(state);
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
            let queue = QueueKey::found(key.as_bytes()).unwrap();
            assert_eq!((queue.prefix(), queue.name()), (prefix, name));
            assert_eq!(queue.part("meta"), key);
            assert_eq!(queue, QueueKey::new(prefix, name));
        }
    }

    #[test]
    fn names_of_old_hold_colons_under_the_usual_prefix() {
        for (key, prefix, name) in [
            ("bull:a:b:c:id", "bull", "a:b:c"),
            ("{bull}:a:b:id", "{bull}", "a:b"),
            ("bull:a:meta", "bull", "a"),
            ("shop:eu:a:meta", "shop:eu", "a"),
        ] {
            let queue = QueueKey::found(key.as_bytes()).unwrap().of_old();
            assert_eq!((queue.prefix(), queue.name()), (prefix, name));
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
            assert_eq!(QueueKey::found(key.as_bytes()), None, "{key}");
        }
        assert_eq!(QueueKey::found(b"bull:\xff:meta"), None);
    }

    #[test]
    fn the_slot_is_that_of_the_hash_tag() {
        let slot = |key: &[u8]| {
            let queue = QueueKey::found(key).unwrap();
            queue.is_tagged().then(|| queue.slot())
        };
        let slot_of = |tag: &str| Some(vigie_redis::slot(tag.as_bytes()));
        assert_eq!(slot(b"{bull}:mails:meta"), slot_of("bull"));
        assert_eq!(slot(b"bull:{mails}:meta"), slot_of("mails"));
        assert_eq!(slot(b"bull:mails:meta"), None);
        assert_eq!(slot(b"bull:{}:meta"), None);
        assert_eq!(slot(b"bull:{mails:meta"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(key in prop::collection::vec(any::<u8>(), 0..40)) {
            let key = [&key[..], b":meta"].concat();
            if let Some(queue) = QueueKey::found(&key) {
                let again = queue.part("meta");
                prop_assert_eq!(again.as_bytes(), &key[..]);
                prop_assert!(!queue.name().contains(':'));
                if queue.is_tagged() {
                    prop_assert_eq!(queue.slot(), vigie_redis::slot(&queue.job(b"{}1")));
                }
            }
        }
    }
}
