//! The model of a dashboard for the tests.

use serde_json::Value;

use crate::files::{SOURCES, load};

/// A dashboard file.
pub(crate) struct Dashboard {
    /// The file in `dashboards/`.
    pub(crate) file: String,
    /// Its content.
    pub(crate) json: Value,
}

impl Dashboard {
    /// The source dashboards; the others are generated from them.
    pub(crate) fn sources() -> Vec<Self> {
        SOURCES
            .map(|name| Self::open(&format!("{name}.json")))
            .into()
    }

    /// Every file.
    pub(crate) fn all() -> Vec<Self> {
        let french = SOURCES.map(|name| Self::open(&format!("{name}.fr.json")));
        Self::sources().into_iter().chain(french).collect()
    }

    pub(crate) fn open(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            json: load(file),
        }
    }

    /// Every panel, rows included.
    pub(crate) fn panels_and_rows(&self) -> Vec<Panel<'_>> {
        let panels = self.json["panels"].as_array().unwrap();
        panels.iter().map(Panel).collect()
    }

    /// The panels, without rows.
    pub(crate) fn panels(&self) -> Vec<Panel<'_>> {
        let mut panels = self.panels_and_rows();
        panels.retain(|panel| !panel.is_row());
        panels
    }

    /// The variables that the user can select.
    pub(crate) fn variables(&self) -> &[Value] {
        self.json["templating"]["list"].as_array().unwrap()
    }
}

/// A panel.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a>(pub(crate) &'a Value);

impl<'a> Panel<'a> {
    /// `timeseries`, `stat`, `table`, `state-timeline` or `row`.
    pub(crate) fn kind(self) -> &'a str {
        self.0["type"].as_str().unwrap()
    }

    pub(crate) fn is_row(self) -> bool {
        self.kind() == "row"
    }

    pub(crate) fn title(self) -> &'a str {
        self.0["title"].as_str().unwrap_or_default()
    }

    /// The queries of the panel.
    pub(crate) fn targets(self) -> &'a [Value] {
        self.0["targets"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The expressions of the queries.
    pub(crate) fn expressions(self) -> Vec<&'a str> {
        let targets = self.targets().iter();
        targets
            .map(|target| target["expr"].as_str().unwrap_or_default())
            .collect()
    }

    /// `[x, y, width, height]` on a grid 24 wide.
    pub(crate) fn place(self) -> [u64; 4] {
        ["x", "y", "w", "h"].map(|key| self.0["gridPos"][key].as_u64().unwrap())
    }
}
