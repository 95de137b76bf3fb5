//! Warnings and infos attached to a result. The texts are those of Prometheus.

use std::fmt::Display;

use crate::{
    format::{go_general, shortened},
    functions::native::notes::Note,
    syntax::Span,
};

/// Maximum number of distinct annotations per result; further ones are dropped.
const MAX_ANNOTATIONS: usize = 100;

/// The warnings and infos of a result.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    list: Vec<Annotation>,
}

/// The severity of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The result may be wrong.
    Warning,
    /// The query may not do what its author intended.
    Info,
}

/// A warning or info.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// The severity.
    pub severity: Severity,
    /// The text, without its position.
    pub message: String,
    /// The part of the query that the annotation refers to.
    pub span: Span,
    monotonicity: Option<Repair>,
}

/// Changes made to the buckets of histograms to make their counts monotonic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repair {
    /// The first and the last affected step, in milliseconds since the epoch.
    pub(crate) times: (i64, i64),
    /// The lowest and the highest bound of the changed buckets.
    pub(crate) buckets: (f64, f64),
    /// The largest change of a count.
    pub(crate) diff: f64,
    /// The number of histograms changed.
    pub(crate) count: usize,
}

impl Annotations {
    /// Iterates over the distinct annotations in the order of their first occurrence.
    pub fn iter(&self) -> impl Iterator<Item = &Annotation> {
        self.list.iter()
    }

    /// The texts of one severity in Prometheus' format, with line and column in `query`.
    #[must_use]
    pub fn texts(&self, severity: Severity, query: &str) -> Vec<String> {
        let list = self.list.iter().filter(|one| one.severity == severity);
        list.map(|annotation| annotation.text(query)).collect()
    }

    pub(crate) fn warn(&mut self, span: Span, message: impl Display) {
        self.add(Severity::Warning, span, shortened(message), None);
    }

    pub(crate) fn info(&mut self, span: Span, message: impl Display) {
        self.add(Severity::Info, span, shortened(message), None);
    }

    pub(crate) fn invalid_quantile(&mut self, span: Span, quantile: f64) {
        let got = go_general(quantile);
        let message = format!("quantile value should be between 0 and 1, got {got}");
        self.warn(span, message);
    }

    pub(crate) fn note(&mut self, note: Note, name: &str, span: Span) {
        let bounds = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
        match note {
            Note::MixedFloats => {
                let mix = "encountered a mix of histograms and floats for metric name";
                self.warn(span, format_args!("{mix} {name:?}"));
            }
            Note::MixedBounds => self.warn(span, format_args!("{bounds} {name:?}")),
            Note::NotCounter => {
                let message = "this native histogram metric is not a counter:";
                self.warn(span, format_args!("{message} {name:?}"));
            }
            Note::NotGauge => {
                let message = "this native histogram metric is not a gauge:";
                self.warn(span, format_args!("{message} {name:?}"));
            }
            Note::Collision(operation) => {
                let message = "conflicting counter resets during histogram";
                self.warn(span, format_args!("{message} {}", operation.text()));
            }
            Note::Ignored => {
                let message = "ignored histograms in a range containing both floats and histograms for metric name";
                self.info(span, format_args!("{message} {name:?}"));
            }
            Note::Reconciled(operation) => {
                let message = "mismatched custom buckets were reconciled during";
                self.info(span, format_args!("{message} {}", operation.text()));
            }
        }
    }

    pub(crate) fn ignored(&mut self, span: Span, aggregation: &str) {
        let message = format_args!("ignored histogram in {aggregation} aggregation");
        self.info(span, message);
    }

    pub(crate) fn repaired(&mut self, span: Span, metric: &str, repair: Repair) {
        let message = "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        let message = match metric.is_empty() {
            true => message.to_owned(),
            false => shortened(format_args!("{message} for metric name {metric:?}")),
        };
        self.add(Severity::Info, span, message, Some(repair));
    }

    /// Adds those of another evaluation.
    pub(crate) fn extend(&mut self, other: Self) {
        for one in other.list {
            self.add(one.severity, one.span, one.message, one.monotonicity);
        }
    }

    fn add(&mut self, severity: Severity, span: Span, message: String, repair: Option<Repair>) {
        let known = self.list.iter_mut();
        let known = known
            .filter(|known| known.severity == severity)
            .find(|known| known.message == message);
        if let Some(known) = known {
            if let (Some(known), Some(repair)) = (&mut known.monotonicity, repair) {
                known.merge(repair);
            }
        } else if self.list.len() < MAX_ANNOTATIONS {
            self.list.push(Annotation {
                severity,
                message,
                span,
                monotonicity: repair,
            });
        }
    }
}

impl Annotation {
    /// The text in Prometheus' format, with line and column in `query`.
    #[must_use]
    pub fn text(&self, query: &str) -> String {
        let (line, column) = self.span.position(query);
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let repair = self.monotonicity.as_ref().map(Repair::text);
        let repair = repair.unwrap_or_default();
        format!(
            "PromQL {severity}: {}{repair} ({line}:{column})",
            self.message
        )
    }
}

impl Repair {
    fn merge(&mut self, other: Self) {
        self.times = (
            self.times.0.min(other.times.0),
            self.times.1.max(other.times.1),
        );
        self.buckets = (
            self.buckets.0.min(other.buckets.0),
            self.buckets.1.max(other.buckets.1),
        );
        self.diff = self.diff.max(other.diff);
        self.count += other.count;
    }

    fn text(&self) -> String {
        format!(
            ", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
            go_general(self.buckets.0),
            go_general(self.buckets.1),
            crate::format::two_digits(self.diff),
            self.count,
            crate::format::rfc3339(self.times.0),
            crate::format::rfc3339(self.times.1),
        )
    }
}
