//! A request path, cut into the segments that routes are made of.

use crate::hex::hex;

/// The part of a request target that matters for routing: no query, no leading slash, one trailing slash ignored.
///
/// `None` inside is `/` itself, which has no segment; `//` has one, which is empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a>(Option<&'a str>);

impl<'a> Path<'a> {
    /// `None` if the target is not a path (`*`, an authority, nothing).
    pub(super) fn parse(target: &'a str) -> Option<Self> {
        let end = target.bytes().position(|byte| matches!(byte, b'?' | b'#'));
        let end = end.unwrap_or(target.len());
        let body = target[..end].strip_prefix('/')?;
        if body.is_empty() {
            return Some(Self(None));
        }
        Some(Self(Some(body.strip_suffix('/').unwrap_or(body))))
    }

    /// The segments, still percent-encoded; empty ones are kept.
    pub(super) fn segments(self) -> impl Iterator<Item = &'a str> + Clone {
        self.0.into_iter().flat_map(|body| body.split('/'))
    }

    /// The first segment and the path behind it.
    pub(super) fn split_first(self) -> Option<(&'a str, Self)> {
        let body = self.0?;
        Some(match body.split_once('/') {
            Some((first, rest)) => (first, Self(Some(rest))),
            None => (body, Self(None)),
        })
    }
}

/// The bytes of a segment with `%XX` resolved; a `%` that begins no escape is kept.
pub(super) fn decoded(segment: &str) -> impl Iterator<Item = u8> {
    let mut rest = segment.as_bytes();
    std::iter::from_fn(move || {
        if let [b'%', high, low, tail @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            rest = tail;
            return Some(high << 4 | low);
        }
        let (first, tail) = rest.split_first()?;
        rest = tail;
        Some(*first)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn cuts_a_target_into_segments() {
        for (target, expected) in [
            ("/", &[][..]),
            ("/?a=/b", &[]),
            ("//", &[""]),
            ("/users", &["users"]),
            ("/users/", &["users"]),
            ("/users//", &["users", ""]),
            ("/a//b?c/d", &["a", "", "b"]),
            ("/a%2Fb/c#d/e", &["a%2Fb", "c"]),
        ] {
            let path = Path::parse(target).unwrap();
            assert_eq!(
                path.segments().collect::<Vec<_>>(),
                expected,
                "target {target}"
            );

            let mut one_by_one = Vec::new();
            let mut rest = path;
            while let Some((first, behind)) = rest.split_first() {
                one_by_one.push(first);
                rest = behind;
            }
            assert_eq!(one_by_one, expected, "target {target}");
        }
        for target in ["", "*", "users", "?a", "example.com:443"] {
            assert!(Path::parse(target).is_none(), "target {target}");
        }
    }

    #[test]
    fn decodes_escapes_and_leaves_the_rest() {
        for (segment, expected) in [
            ("plain", "plain"),
            ("%6De", "me"),
            ("caf%c3%A9", "café"),
            ("100%", "100%"),
            ("%zz%2", "%zz%2"),
            ("%%41", "%A"),
            ("%é", "%é"),
        ] {
            assert_eq!(decoded(segment).collect::<Vec<_>>(), expected.as_bytes());
        }
    }
}
