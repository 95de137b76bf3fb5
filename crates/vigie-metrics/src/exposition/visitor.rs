//! Samples as numbers, equal to those of the text format, for readers in the same process.

use super::Sample;
use super::encoder::push_float;
use crate::desc::Meta;

/// Called for each sample with its name, its labels in the order of the description (`le` last), its value, and
/// whether it is a count that started since the given epoch.
pub(crate) type Each<'a> = dyn FnMut(&str, &[(&str, &str)], f64, bool) + 'a;

/// Visits the samples of one family.
pub(crate) struct Visitor<'a> {
    meta: &'static Meta,
    each: &'a mut Each<'a>,
    bucket: String,
    sum: String,
    count: String,
    /// The values of `le`, `+Inf` last.
    bounds: Vec<String>,
    /// The scope label, which precedes the labels of each series.
    scope: Option<(&'a str, &'a str)>,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(meta: &'static Meta, each: &'a mut Each<'a>) -> Self {
        let finite = meta.buckets.seconds.iter().map(|&bound| {
            let mut text = String::new();
            push_float(&mut text, bound);
            text
        });
        Self {
            meta,
            each,
            bucket: format!("{}_bucket", meta.name),
            sum: format!("{}_sum", meta.name),
            count: format!("{}_count", meta.name),
            bounds: finite.chain(["+Inf".to_owned()]).collect(),
            scope: None,
        }
    }

    pub(crate) fn within(self, scope: (&'a str, &'a str)) -> Self {
        let scope = Some(scope);
        Self { scope, ..self }
    }

    pub(crate) fn series(&mut self, values: &[&str], sample: &Sample<'_>, is_new: bool) {
        let names = self.meta.labels.iter().copied();
        let own = names.zip(values.iter().copied());
        let mut labels: Vec<(&str, &str)> = self.scope.into_iter().chain(own).collect();
        let histogram = match sample {
            Sample::Integer(value) => {
                return (self.each)(self.meta.name, &labels, *value as f64, is_new);
            }
            Sample::Float(value) => return (self.each)(self.meta.name, &labels, *value, is_new),
            Sample::Histogram(histogram) => histogram,
        };
        let mut count = 0;
        for (bucket, bound) in histogram.buckets().zip(&self.bounds) {
            count += bucket;
            labels.push(("le", bound));
            (self.each)(&self.bucket, &labels, count as f64, is_new);
            labels.pop();
        }
        // Rounded once, like the digits of the text format.
        let sum = histogram.sum().as_nanos() as f64 / 1e9;
        (self.each)(&self.sum, &labels, sum, is_new);
        (self.each)(&self.count, &labels, count as f64, is_new);
    }
}
