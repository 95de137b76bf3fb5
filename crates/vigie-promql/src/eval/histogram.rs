//! Classic histograms: grouping of series into the buckets of one histogram.

use super::{
    Evaluation,
    call::text,
    column::{ABSENT, Column, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    names::{NameRemoval, merge_same_labels},
    signature::Signatures,
    sort::sorted,
};
use crate::{
    annotations::Repair,
    format::{open_metrics, shortened},
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
        let input = self.with_figures(false, |this| this.vector(&call.args[1], steps))?;
        self.check_quantiles(&ranks, call.args[0].span())?;
        let vector = self.quantiles(&ranks, &input, call.args[1].span(), steps)?;
        self.without_names(vector, call.span)
    }

    /// As `histogram_quantile`, for several quantiles, which a label tells apart.
    pub(super) fn histogram_quantiles(
        &mut self,
        call: &Call,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let label = text(&call.args[1]);
        let input = self.with_figures(false, |this| this.vector(&call.args[0], steps))?;
        let mut vector = Vec::new();
        for arg in &call.args[2..] {
            let ranks = self.scalar(arg, steps)?;
            self.check_quantiles(&ranks, arg.span())?;
            let found = self.quantiles(&ranks, &input, call.args[0].span(), steps)?;
            // The label's value is that of each step.
            let mut distinct: Vec<u64> = ranks.iter().map(|rank| rank.to_bits()).collect();
            distinct.sort_unstable();
            distinct.dedup();
            for series in found {
                for &bits in &distinct {
                    self.meter.work(8 + steps.count)?;
                    let value = open_metrics(f64::from_bits(bits));
                    let mut one = series.derived(series.labels().with(label, &value), Vec::new());
                    one.values = series.values.clone();
                    one.drops_name = series.drops_name;
                    self.charge_output(&one, steps)?;
                    one.retain(|step| ranks[step].to_bits() == bits);
                    if one.has_samples() {
                        vector.push(one);
                    }
                }
            }
        }
        let vector = merge_same_labels(vector, call.span, &self.meter)?;
        self.without_names(vector, call.span)
    }

    /// The quantiles of the classic and the native histograms of `input`, which is the argument at `span`.
    fn quantiles(
        &mut self,
        ranks: &[f64],
        input: &[Series],
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let native =
            self.figures_of_histograms(input, steps, |evaluation, series, step, histogram| {
                let (value, nans) = histogram.quantile(ranks[step]);
                let name = evaluation.name_in_messages(series.labels());
                evaluation.note_nans(nans, name, span);
                Some(value)
            })?;
        let classic = self.of_histograms(
            input,
            span,
            steps,
            |evaluation, histogram, step, buckets| {
                let (value, forced) = buckets::quantile(ranks[step], buckets);
                if let Some(forced) = forced {
                    evaluation.annotate_repair(histogram, span, steps.at(step), forced);
                }
                value
            },
        )?;
        self.without_mixes(classic, native, span)
    }

    pub(super) fn histogram_fraction(
        &mut self,
        call: &Call,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let lower = self.scalar(&call.args[0], steps)?;
        let upper = self.scalar(&call.args[1], steps)?;
        let input = self.with_figures(false, |this| this.vector(&call.args[2], steps))?;
        let span = call.args[2].span();
        let native =
            self.figures_of_histograms(&input, steps, |evaluation, series, step, histogram| {
                let (value, nans) = histogram.fraction(lower[step], upper[step]);
                let name = evaluation.name_in_messages(series.labels());
                evaluation.note_nans(nans, name, span);
                Some(value)
            })?;
        let classic = self.of_histograms(&input, span, steps, |_, _, step, buckets| {
            buckets::fraction(lower[step], upper[step], buckets)
        })?;
        let vector = self.without_mixes(classic, native, span)?;
        self.without_names(vector, call.span)
    }

    /// The results of classic and native histograms together, without those of both kinds with the same labels at the
    /// same step.
    fn without_mixes(
        &mut self,
        mut classic: Vec<Series>,
        native: Vec<Series>,
        span: Span,
    ) -> Result<Vec<Series>, EvalError> {
        if native.is_empty() {
            return Ok(classic);
        }
        let mut label_sets = Signatures::new(|_: &str| true);
        for series in &classic {
            self.meter.work(series.label_work())?;
            label_sets.number(series.labels());
        }
        for mut series in native {
            self.meter.work(series.label_work() + series.values.len())?;
            let number = label_sets.number(series.labels());
            let other = classic.get_mut(number);
            let other = other.filter(|other| other.labels() == series.labels());
            let Some(other) = other else {
                classic.push(series);
                continue;
            };
            let mut mixed = false;
            for (native, classic) in series.values.iter_mut().zip(&mut other.values) {
                if !is_absent(*native) && !is_absent(*classic) {
                    (*native, *classic) = (ABSENT, ABSENT);
                    mixed = true;
                } else if is_absent(*classic) {
                    *classic = *native;
                }
            }
            if mixed {
                let message = "vector contains a mix of classic and native histograms";
                let name = self.name_in_messages(series.labels());
                match name {
                    "" => self.annotations.warn(span, message),
                    name => self
                        .annotations
                        .warn(span, format_args!("{message} for metric name {name:?}")),
                }
            }
        }
        Ok(classic)
    }

    /// One series per classic histogram, with `value` of its buckets at each step.
    fn of_histograms(
        &mut self,
        input: &[Series],
        span: Span,
        steps: Steps,
        mut value: impl FnMut(&mut Self, &Histogram, usize, &mut Vec<Bucket>) -> f64,
    ) -> Result<Vec<Series>, EvalError> {
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
        Ok(vector)
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
                if series.has_floats() {
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
