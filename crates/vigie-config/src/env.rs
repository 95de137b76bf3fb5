//! Settings from the environment.

use std::ffi::OsString;

use crate::given::{Given, Layer, Place, twin};
use crate::problem::Problem;

/// Two underscores, because Kubernetes sets `VIGIE_PORT` and similar variables for a service named `vigie`.
const PREFIX: &str = "VIGIE__";

/// Variables that many platforms set; each is used only if its key has no other value.
const FALLBACKS: [(&str, &str); 2] = [("REDIS_URL", "redis.url"), ("DATABASE_URL", "database.url")];

/// The variable that sets `key`.
pub(crate) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// Every variable named `VIGIE__SECTION__KEY`.
pub(crate) fn layer(env: &[(OsString, OsString)]) -> (Layer, Vec<Problem>) {
    let mut layer = Layer::default();
    let mut problems = Vec::new();
    for (name, value) in env {
        let Some(name) = name.to_str() else { continue };
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let place = Place::Env(name.to_owned());
        match value.to_str() {
            Some(value) => {
                let key = path.replace("__", ".").to_lowercase();
                layer.values.insert(key, Given::untyped(value, place));
            }
            None => problems.push(not_text(name, place)),
        }
    }
    (layer, problems)
}

/// The variables of one section.
pub(crate) fn layer_of(section: &str, env: &[(OsString, OsString)]) -> (Layer, Vec<Problem>) {
    let prefix = variable(section);
    let inside = |(name, _): &&(OsString, OsString)| {
        let name = name.to_str();
        name.is_some_and(|name| name.starts_with(&prefix))
    };
    let variables: Vec<_> = env.iter().filter(inside).cloned().collect();
    layer(&variables)
}

/// Adds `REDIS_URL` and `DATABASE_URL` for keys without a value.
pub(crate) fn fall_back(env: &[(OsString, OsString)], layer: &mut Layer) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, key) in FALLBACKS {
        if layer.values.contains_key(key) || layer.values.contains_key(&twin(key)) {
            continue;
        }
        // Compose files pass an unset variable as an empty one.
        let found = env.iter().find(|(found, _)| found == name);
        let Some((_, value)) = found.filter(|(_, value)| !value.is_empty()) else {
            continue;
        };
        let place = Place::Env(name.to_owned());
        match value.to_str() {
            Some(value) => {
                let given = Given::untyped(value, place);
                layer.values.insert(key.to_owned(), given);
            }
            None => problems.push(not_text(name, place)),
        }
    }
    problems
}

fn not_text(name: &str, place: Place) -> Problem {
    let title = format!(
        "{}: found bytes that are not UTF-8 text",
        name.escape_debug()
    );
    Problem::at(place, title, "expected UTF-8")
}
