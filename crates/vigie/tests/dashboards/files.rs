//! The files in `dashboards/`.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The English sources.
pub(crate) const SOURCES: [&str; 2] = ["vigie", "vigie-details"];

/// The path of a file in `dashboards/`.
pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../dashboards")
        .join(file)
}

pub(crate) fn text(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("dashboards/{file}: {error}"))
}

/// The value in a file of `dashboards/`.
pub(crate) fn load(file: &str) -> Value {
    serde_json::from_str(&text(file)).unwrap_or_else(|error| panic!("dashboards/{file}: {error}"))
}
