//! The configured patterns as a tree; a request finds the most literal one.

use std::{collections::HashSet, sync::Arc};

use super::{
    Route,
    path::{Path, decoded},
    pattern::{Fault, Pattern, PatternError, Piece},
};

/// All configured patterns.
#[derive(Debug, Default)]
pub(super) struct Configured {
    root: Node,
    patterns: Vec<Pattern>,
    labels: usize,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by name.
    literals: Vec<(Box<[u8]>, Node)>,
    parameter: Option<Box<Node>>,
    ends: Vec<End>,
    tails: Vec<End>,
}

#[derive(Debug)]
struct End {
    method: Option<&'static str>,
    route: Route,
    written: String,
}

impl Configured {
    pub(super) fn new(patterns: &[impl AsRef<str>]) -> Result<Self, PatternError> {
        let mut root = Node::default();
        let mut parsed = Vec::new();
        for (index, text) in patterns.iter().map(AsRef::as_ref).enumerate() {
            let refused = |fault| PatternError::new(text, index, fault);
            let pattern: Pattern = text.parse().map_err(refused)?;
            root.insert(&pattern, &pattern.pieces).map_err(refused)?;
            parsed.push(pattern);
        }
        let labels: HashSet<&str> = parsed.iter().map(|pattern| &*pattern.label).collect();
        Ok(Self {
            root,
            labels: labels.len(),
            patterns: parsed,
        })
    }

    /// The patterns in the order of the configuration.
    pub(super) fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// How many different labels the patterns have.
    pub(super) fn labels(&self) -> usize {
        self.labels
    }

    /// The pattern for a request; of several, the one whose first segments are the most literal.
    ///
    /// `method` is `None` when only the path counts.
    pub(super) fn find(&self, path: Path<'_>, method: Option<&str>) -> Option<Route> {
        self.root.find(path, method).cloned()
    }
}

impl Node {
    fn insert(&mut self, pattern: &Pattern, pieces: &[Piece]) -> Result<(), Fault> {
        match pieces {
            [] => add(&mut self.ends, pattern),
            [Piece::Tail, ..] => add(&mut self.tails, pattern),
            [Piece::Parameter, rest @ ..] => {
                let child = self.parameter.get_or_insert_default();
                child.insert(pattern, rest)
            }
            [Piece::Literal(name), rest @ ..] => {
                let found = self.literals.binary_search_by(|(have, _)| have.cmp(name));
                let place = found.unwrap_or_else(|place| {
                    self.literals.insert(place, (name.clone(), Self::default()));
                    place
                });
                self.literals[place].1.insert(pattern, rest)
            }
        }
    }

    /// Visits each node at most once, since a node's depth says which segment it looks at.
    fn find(&self, path: Path<'_>, method: Option<&str>) -> Option<&Route> {
        let Some((segment, rest)) = path.split_first() else {
            return pick(&self.ends, method);
        };
        self.literal(segment)
            .and_then(|child| child.find(rest, method))
            .or_else(|| {
                let child = self.parameter.as_ref().filter(|_| !segment.is_empty());
                child.and_then(|child| child.find(rest, method))
            })
            .or_else(|| pick(&self.tails, method))
    }

    fn literal(&self, segment: &str) -> Option<&Node> {
        self.literals
            .binary_search_by(|(name, _)| name.iter().copied().cmp(decoded(segment)))
            .ok()
            .map(|place| &self.literals[place].1)
    }
}

fn add(ends: &mut Vec<End>, pattern: &Pattern) -> Result<(), Fault> {
    if let Some(first) = ends.iter().find(|end| end.method == pattern.method) {
        return Err(Fault::Duplicate {
            first: first.written.clone(),
        });
    }
    ends.push(End {
        method: pattern.method,
        route: Route::known(Arc::from(pattern.label.as_str())),
        written: pattern.to_string(),
    });
    Ok(())
}

/// The end for a method: its own, else GET's for HEAD, else the one for all methods.
fn pick<'a>(ends: &'a [End], method: Option<&str>) -> Option<&'a Route> {
    let Some(method) = method else {
        return ends.first().map(|end| &end.route);
    };
    let with = |wanted: Option<&str>| ends.iter().find(|end| end.method == wanted);
    with(Some(method))
        .or_else(|| with(Some("GET")).filter(|_| method == "HEAD"))
        .or_else(|| with(None))
        .map(|end| &end.route)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_most_literal_pattern_wins() {
        let patterns = [
            "/*",
            "/",
            "/users/:id",
            "/users/me",
            "GET /users/:id/posts",
            "POST /users/:uid/posts",
            "/users/me/settings",
            "/a/:x/c",
            "/a/b/:y/d",
            "/static/*path",
            "/static/{version}/app.js",
            "/caf%C3%A9",
            "/only/:one",
        ];
        let cases = [
            ("GET", "/", "/"),
            ("GET", "/users/42", "/users/:id"),
            ("GET", "/users/42/", "/users/:id"),
            ("GET", "/users/me", "/users/me"),
            ("GET", "/users/%6d%65", "/users/me"),
            ("GET", "/users/Me", "/users/:id"),
            ("GET", "/users/me?x=/y", "/users/me"),
            ("GET", "/users/a%2Fb", "/users/:id"),
            ("GET", "/users/me/posts", "/users/:id/posts"), // back from `me`
            ("HEAD", "/users/7/posts", "/users/:id/posts"),
            ("POST", "/users/7/posts", "/users/:uid/posts"),
            ("PUT", "/users/7/posts", "/*"),
            ("GET", "/a/b/c", "/a/:x/c"), // `b` leads to nothing here
            ("GET", "/a/b/c/d", "/a/b/:y/d"),
            ("GET", "/static/1/app.js", "/static/{version}/app.js"),
            ("GET", "/static/1/other.js", "/static/*path"),
            ("GET", "/static/x", "/static/*path"),
            ("GET", "/static", "/*"),
            ("GET", "/static//x", "/static/*path"),
            ("GET", "/café", "/caf%C3%A9"),
            ("GET", "/caf%c3%a9", "/caf%C3%A9"),
            ("GET", "/users//", "/*"), // a parameter is never empty
            ("GET", "/only//one", "/*"),
            ("GET", "//only/one", "/*"),
        ];
        let mut reversed = patterns;
        reversed.reverse();
        for order in [patterns, reversed] {
            let configured = Configured::new(&order).unwrap();
            assert_eq!(configured.labels(), patterns.len());
            for (method, path, label) in cases {
                let found = configured.find(Path::parse(path).unwrap(), Some(method));
                assert_eq!(found.as_deref(), Some(label), "{method} {path}");
            }
        }
    }

    #[test]
    fn the_method_counts_only_when_given() {
        let configured = Configured::new(&["POST /users", "POST /a/:b", "/a/c"]).unwrap();
        let find = |path, method| configured.find(Path::parse(path).unwrap(), method);
        assert_eq!(find("/users", Some("GET")), None);
        assert_eq!(find("/users", None).as_deref(), Some("/users"));
        assert_eq!(find("/a/c", Some("POST")).as_deref(), Some("/a/c"));
        assert_eq!(find("/a/d", Some("GET")), None);
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = Configured::new(&["/a", "GET /b/*/c"]).unwrap_err();
        assert_eq!((error.index(), error.at()), (1, 7));
        assert!(error.reason().starts_with("byte 7: found `*`; "), "{error}");
        assert_eq!(
            error.to_string(),
            format!("route `GET /b/*/c`: {}", error.reason())
        );
    }

    #[test]
    fn two_patterns_for_the_same_requests_are_refused() {
        for (first, second) in [
            ("/users/:id", "/users/{name}"),
            ("/users/", "/users"),
            ("GET /a/*", "GET /a/*rest"),
            ("/caf%C3%A9", "/café"),
        ] {
            let error = Configured::new(&["/", first, second]).unwrap_err();
            let first = first.strip_suffix('/').unwrap_or(first);
            let expected = format!(
                "route `{second}`: it matches the same requests as `{first}`; keep one of them"
            );
            assert_eq!((error.index(), error.at()), (2, 0));
            assert_eq!(error.to_string(), expected);
        }
        assert!(Configured::new(&["GET /users/:id", "PUT /users/:id", "/users/:id"]).is_ok());
    }
}
