//! Classic histograms: grouping of series into the buckets of one histogram.

use super::{
    Evaluation,
    column::{ABSENT, Column, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    names::NameRemoval,
    signature::Signatures,
    sort::sorted,
};
use crate::{
    annotations::Repair,
    format::shortened,
    functions::buckets::{self, Bucket, Forced},
    labels::{BUCKET, Labels},
    syntax::{Call, Span},
};

/// Bytes charged for a bucket: its entry in the histogram's list, which doubles as it grows and is sorted, and its
/// entry among the buckets present at a step.
const BUCKETS: usize = 6 * size_of::<Bucket>();

/// A histogram: the upper bounds of its buckets, ascending, each with the index of its series.
struct Histogram {
    labels: Labels,
    drops_name: bool,
    buckets: Vec<(f64, usize)>,
}

impl Evaluation<'_> {
    pub(super) fn histogram_quantile(
        &mut self,
        call: &Call,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let ranks = self.scalar(&call.args[0], steps)?;
        let input = self.vector(&call.args[1], steps)?;
        self.check_quantiles(&ranks, call.args[0].span())?;
        let span = call.args[1].span();
        self.of_histograms(
            call,
            &input,
            steps,
            |evaluation, histogram, step, buckets| {
                let (value, forced) = buckets::quantile(ranks[step], buckets);
                if let Some(forced) = forced {
                    evaluation.annotate_repair(histogram, span, steps.at(step), forced);
                }
                value
            },
        )
    }

    pub(super) fn histogram_fraction(
        &mut self,
        call: &Call,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let lower = self.scalar(&call.args[0], steps)?;
        let upper = self.scalar(&call.args[1], steps)?;
        let input = self.vector(&call.args[2], steps)?;
        self.of_histograms(call, &input, steps, |_, _, step, buckets| {
            buckets::fraction(lower[step], upper[step], buckets)
        })
    }

    /// One series per histogram, with `value` of its buckets at each step. The buckets are the last argument.
    fn of_histograms(
        &mut self,
        call: &Call,
        input: &[Series],
        steps: Steps,
        mut value: impl FnMut(&mut Self, &Histogram, usize, &mut Vec<Bucket>) -> f64,
    ) -> Result<Evaluated, EvalError> {
        let span = call.args[call.args.len() - 1].span();
        let histograms = self.histograms(input, span)?;
        let mut vector = Vec::with_capacity(histograms.len());
        let mut present = Vec::new();
        for histogram in &histograms {
            let first = &input[histogram.buckets[0].1];
            let mut series = first.derived(histogram.labels.clone(), Vec::new());
            self.charge_output(&series, steps)?;
            let column = (0..steps.count).map(|step| {
                self.meter.work(8 + histogram.buckets.len())?;
                present.clear();
                for &(bound, series) in &histogram.buckets {
                    let count = input[series].values[step];
                    if !is_absent(count) {
                        present.push(Bucket { bound, count });
                    }
                }
                Ok(match present.is_empty() {
                    true => ABSENT,
                    false => value(self, histogram, step, &mut present),
                })
            });
            let values: Result<Column, EvalError> = column.collect();
            series.values = values?;
            series.drops_name = histogram.drops_name;
            vector.push(series);
        }
        self.without_names(vector, call.span)
    }

    /// Groups series into histograms: the buckets of one differ only in the label `le`.
    fn histograms(&mut self, input: &[Series], span: Span) -> Result<Vec<Histogram>, EvalError> {
        self.meter.charge(Cost::bytes(BUCKETS).times(input.len()))?;
        let mut label_sets = Signatures::new(|name: &str| name != BUCKET);
        let mut histograms: Vec<Histogram> = Vec::new();
        for (at, series) in input.iter().enumerate() {
            self.meter.work(series.label_work())?;
            let labels = series.labels();
            let bound = labels.get(BUCKET);
            let Ok(parsed) = bound.parse::<f64>() else {
                if series.has_samples() {
                    self.warn_of_bound(labels, bound, span);
                }
                continue;
            };
            let number = label_sets.number(labels);
            if number == histograms.len() {
                let made = series.derived(label_sets.labels(number), Vec::new());
                self.meter.charge(Cost::series(&made))?;
                histograms.push(Histogram {
                    labels: made.labels().clone(),
                    drops_name: series.drops_name,
                    buckets: Vec::new(),
                });
            }
            histograms[number].buckets.push((parsed, at));
        }
        for histogram in &mut histograms {
            let buckets = std::mem::take(&mut histogram.buckets);
            histogram.buckets = sorted(buckets, &self.meter, |a, b| a.0.total_cmp(&b.0))?;
        }
        Ok(histograms)
    }

    fn warn_of_bound(&mut self, labels: &Labels, bound: &str, span: Span) {
        let problem = format_args!("is missing or has a malformed value of {bound:?}");
        let message = match self.name_in_messages(labels) {
            "" => shortened(format_args!("bucket label \"le\" {problem}")),
            name => shortened(format_args!(
                "bucket label \"le\" {problem} for metric name {name:?}"
            )),
        };
        self.annotations.warn(span, message);
    }

    fn annotate_repair(&mut self, histogram: &Histogram, span: Span, time: i64, forced: Forced) {
        let name = self.name_in_messages(&histogram.labels).to_owned();
        let repair = Repair {
            times: (time, time),
            buckets: (forced.lowest_bound, forced.highest_bound),
            diff: forced.largest_fall,
            count: 1,
        };
        self.annotations.repaired(span, &name, repair);
    }

    /// The metric name for messages; empty if names are removed immediately, as in Prometheus.
    fn name_in_messages<'l>(&self, labels: &'l Labels) -> &'l str {
        match self.engine.name_removal {
            NameRemoval::Immediate => "",
            NameRemoval::Delayed => labels.metric(),
        }
    }
}
