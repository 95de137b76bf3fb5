//! A strict parser of the Prometheus text format 0.0.4 and of OpenMetrics 1.0.
//!
//! It is the oracle for what Vigie exposes: written from the specifications, sharing no code with what it
//! judges. Where a specification leaves something open that a scraper could stumble over, it refuses:
//! every family must have HELP and TYPE before its samples and stand in one block, no series may come
//! twice, only the escapes of the format may be used, labels that begin with `__` are reserved, and a
//! histogram must add up.

mod check;
mod lex;
mod parse;

use std::fmt;

/// Which format a page is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The format that a `Content-Type` header announces.
    pub fn of(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        let (media, mut parameters) = (parts.next()?, parts);
        let mut is = |parameter: &str| parameters.any(|found| found == parameter);
        match media {
            "text/plain" if is("version=0.0.4") => Some(Self::Text),
            "application/openmetrics-text" if is("version=1.0.0") => Some(Self::OpenMetrics),
            _ => None,
        }
    }
}

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes both ways.
    Gauge,
    /// Buckets that grow.
    Histogram,
    /// Buckets that go both ways (OpenMetrics).
    GaugeHistogram,
    /// Quantiles.
    Summary,
    /// Facts in labels (OpenMetrics).
    Info,
    /// Which states are on (OpenMetrics).
    StateSet,
    /// `untyped`, or `unknown` in OpenMetrics.
    Unknown,
}

/// An exemplar (OpenMetrics).
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// Its value.
    pub value: f64,
}

/// One line with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The whole name, suffix included.
    pub name: String,
    /// In the order of the page.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
    /// In the unit of the format: milliseconds in text, seconds in OpenMetrics.
    pub timestamp: Option<f64>,
    /// OpenMetrics only.
    pub exemplar: Option<Exemplar>,
}

impl Sample {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A block of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name in HELP and TYPE.
    pub name: String,
    /// From TYPE.
    pub kind: Kind,
    /// From HELP, unescaped.
    pub help: String,
    /// From UNIT (OpenMetrics).
    pub unit: Option<String>,
    /// In the order of the page.
    pub samples: Vec<Sample>,
}

/// What a page says.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    families: Vec<Family>,
}

/// Why a page is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ParseError {}

impl Scrape {
    /// Parses and judges a page.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(page: &str, format: Format) -> Result<Self, ParseError> {
        parse::page(page, format).map(|families| Self { families })
    }

    /// The families, in the order of the page.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The family of that name.
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// All samples of that whole name (suffix included) that carry these labels, among others.
    pub fn samples<'a>(
        &'a self,
        name: &'a str,
        filter: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = &'a Sample> {
        let samples = self.families.iter().flat_map(|family| &family.samples);
        samples.filter(move |sample| {
            let has = |(name, value): &(&str, &str)| sample.label(name) == Some(value);
            sample.name == name && filter.iter().all(has)
        })
    }

    /// The value of the series with exactly these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut found = self.samples(name, labels);
        found
            .find(|sample| sample.labels.len() == labels.len())
            .map(|sample| sample.value)
    }

    /// The sum over all series that carry these labels, among others; 0 when there is none.
    pub fn sum(&self, name: &str, filter: &[(&str, &str)]) -> f64 {
        self.samples(name, filter).map(|sample| sample.value).sum()
    }
}

#[cfg(test)]
mod tests;
