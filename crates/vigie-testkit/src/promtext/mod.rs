//! A strict parser of the Prometheus text format 0.0.4 and of OpenMetrics 1.0.
//!
//! It is the reference for Vigie's exposition, written from the specifications and independent of the encoder. Where
//! a specification is ambiguous in a way that could break a scraper, it is strict: each family must have HELP and
//! TYPE before its samples and be contiguous, series must be unique, only the escapes of the format are allowed,
//! labels that begin with `__` are reserved, and a histogram must be consistent.

mod check;
mod lex;
mod parse;

use std::fmt;

/// The format of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The format of a `Content-Type` header.
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
    /// A counter.
    Counter,
    /// A gauge.
    Gauge,
    /// A histogram.
    Histogram,
    /// A histogram of gauges (OpenMetrics).
    GaugeHistogram,
    /// A summary.
    Summary,
    /// An info (OpenMetrics).
    Info,
    /// A state set (OpenMetrics).
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

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The name including the suffix.
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

/// A family of the page.
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

/// The content of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    families: Vec<Family>,
}

/// Why a page is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The mistake.
    pub reason: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ParseError {}

impl Scrape {
    /// Parses and checks a page.
    ///
    /// # Errors
    /// The first mistake.
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

    /// All samples with that name (including the suffix) and at least these labels.
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

    /// The sum of all series with at least these labels; 0 if there are none.
    pub fn sum(&self, name: &str, filter: &[(&str, &str)]) -> f64 {
        self.samples(name, filter).map(|sample| sample.value).sum()
    }
}

#[cfg(test)]
mod tests;
