//! The paths on which the app serves Engine.IO.
//!
//! A query alone proves nothing, because any client can add it to any request. A path is accepted if it is a default of the
//! servers, or once the app has answered a handshake on it.

use std::collections::HashSet;

use parking_lot::RwLock;

/// The default paths of Socket.IO and of Engine.IO.
const DEFAULTS: [&str; 2] = ["/socket.io", "/engine.io"];

/// The maximum number of learned paths. An app has one or two.
const MAX_LEARNED: usize = 16;

/// The longest path that is learned.
const MAX_BYTES: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Paths(RwLock<HashSet<Box<str>>>);

impl Paths {
    /// Whether the app serves Engine.IO on a path or on one above it, as the servers compare prefixes.
    pub(super) fn contains(&self, path: &str) -> bool {
        DEFAULTS.iter().any(|default| is_below(path, default)) || {
            let learned = self.0.read();
            learned.iter().any(|known| is_below(path, known))
        }
    }

    /// The app has answered a handshake on this path.
    pub(super) fn learn(&self, path: &str) {
        let path = match path.trim_end_matches('/') {
            // Only the root itself: every path is below it.
            "" => "/",
            path => path,
        };
        if path.len() > MAX_BYTES || self.contains(path) {
            return;
        }
        let mut learned = self.0.write();
        if learned.len() < MAX_LEARNED {
            learned.insert(path.into());
        }
    }
}

fn is_below(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_paths_and_those_below_are_known() {
        let paths = Paths::default();
        for known in ["/socket.io/", "/socket.io", "/engine.io/", "/socket.io/x"] {
            assert!(paths.contains(known), "{known}");
        }
        for unknown in ["/", "/socket.iox/", "/api/socket.io/", ""] {
            assert!(!paths.contains(unknown), "{unknown}");
        }
    }

    #[test]
    fn the_number_of_learned_paths_is_bounded() {
        let paths = Paths::default();
        paths.learn("/game/ws/");
        assert!(paths.contains("/game/ws") && paths.contains("/game/ws/"));
        assert!(!paths.contains("/game"));
        paths.learn("/");
        assert!(paths.contains("/") && !paths.contains("/other"));
        for n in 0..100 {
            paths.learn(&format!("/{n}"));
        }
        paths.learn(&"/long".repeat(100));
        assert_eq!(paths.0.read().len(), MAX_LEARNED);
        assert!(paths.contains("/game/ws"));
    }
}
