//! Matching of series between two vectors.
//!
//! The *signature* of a series is the set of labels it is matched by. Series are grouped by signature once; at each
//! step only those with a sample take part.

use super::{
    Evaluation,
    column::{ABSENT, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    names::merge_same_labels,
    signature::Signatures,
};
use crate::{
    format::shortened,
    functions::math::{holds, operate},
    labels::{Labels, METRIC_NAME, Set},
    syntax::{BinaryOp, Group, Matching, Operation, Side, Span},
};

const NO_MATCH: &str =
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
const NO_GROUP: &str = "multiple matches for labels: grouping labels must ensure unique matches";
const NONE: usize = usize::MAX;

/// Bytes charged for a signature: its lists and the number of a series.
const SIGNATURE: usize = 2 * size_of::<One>() + 2 * size_of::<usize>();

/// The signatures of both sides, numbered.
struct Matched {
    left: Vec<usize>,
    right: Vec<usize>,
    count: usize,
}

/// The series of one signature on the "one" side.
#[derive(Clone, Default)]
struct One {
    members: Vec<usize>,
    /// For each step, the member that has a sample; not allocated while there is only one member.
    present: Vec<usize>,
}

/// A series of the result under construction.
struct Output {
    series: Series,
    /// Steps with a match, whether or not a comparison filtered it out.
    matched: Vec<bool>,
}

impl Evaluation<'_> {
    pub(super) fn matched(
        &mut self,
        left: Vec<Series>,
        operation: &Operation,
        right: Vec<Series>,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let signatures = self.signatures(&left, &right, operation.matching.as_ref())?;
        match operation.op {
            BinaryOp::And | BinaryOp::Unless => {
                let wanted = operation.op == BinaryOp::And;
                self.filtered(left, &right, &signatures, wanted, steps)
            }
            BinaryOp::Or => self.or(left, right, &signatures, span, steps),
            _ => self.combined(&left, operation, &right, &signatures, span, steps),
        }
    }

    fn combined(
        &mut self,
        left: &[Series],
        operation: &Operation,
        right: &[Series],
        signatures: &Matched,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let group = operation.matching.as_ref();
        let group = group.and_then(|matching| matching.group.as_ref());
        let swapped = group.is_some_and(|group| group.many == Side::Right);
        let (many, one, of_many, of_one) = match swapped {
            false => (left, right, &signatures.left, &signatures.right),
            true => (right, left, &signatures.right, &signatures.left),
        };
        self.meter
            .charge(Cost::bytes(SIGNATURE).times(signatures.count))?;
        let mut ones = vec![One::default(); signatures.count];
        for (member, &signature) in of_one.iter().enumerate() {
            ones[signature].members.push(member);
        }
        self.find_present(&mut ones, many, one, operation, span, steps)?;

        let mut outputs: Vec<Output> = Vec::new();
        let mut label_sets = Signatures::new(|_: &str| true);
        // For one-to-one matching: for each signature, the steps at which it was matched.
        let mut used: Vec<Vec<bool>> = vec![Vec::new(); signatures.count];
        for (series, &signature) in many.iter().zip(of_many) {
            self.meter.work(8 + steps.count)?;
            let found = &ones[signature];
            let used = &mut used[signature];
            if found.members.is_empty() {
                continue;
            }
            if used.is_empty() {
                self.meter.charge(Cost::bytes(steps.count))?;
                used.resize(steps.count, false);
            }
            let (mut partner, mut number) = (NONE, 0);
            for (step, &value) in series.values.iter().enumerate() {
                let at = found.at(step);
                if is_absent(value) || at == NONE {
                    continue;
                }
                let other = one[at].values[step];
                if is_absent(other) {
                    continue;
                }
                if std::mem::replace(&mut used[step], true) && group.is_none() {
                    return Err(EvalError::execution(span, NO_MATCH));
                }
                if partner != at {
                    partner = at;
                    let mut result = self.result_series(series, &one[at], operation)?;
                    number = label_sets.number_of(result.labels(), result.drops_name);
                    if number == outputs.len() {
                        self.charge_output(&result, steps)?;
                        self.meter.charge(Cost::bytes(steps.count))?;
                        result.values = vec![ABSENT; steps.count];
                        outputs.push(Output {
                            series: result,
                            matched: vec![false; steps.count],
                        });
                    }
                }
                let output = &mut outputs[number];
                if std::mem::replace(&mut output.matched[step], true) {
                    return Err(EvalError::execution(span, NO_GROUP));
                }
                let (left, right) = if swapped {
                    (other, value)
                } else {
                    (value, other)
                };
                output.series.values[step] = result_value(operation, left, right);
            }
        }
        let mut found = Vec::with_capacity(outputs.len());
        for output in outputs {
            self.meter.work(8 + steps.count)?;
            if output.series.has_samples() {
                found.push(output.series);
            }
        }
        Ok(found)
    }

    /// Finds, for each signature with several series on the "one" side, the series that has a sample at each step.
    /// Fails if two have one at the same step.
    fn find_present(
        &mut self,
        ones: &mut [One],
        many: &[Series],
        one: &[Series],
        operation: &Operation,
        span: Span,
        steps: Steps,
    ) -> Result<(), EvalError> {
        // A step at which one side is empty has no matches, so duplicates on the other side are not an error.
        let any_many = |step: usize| many.iter().any(|series| !is_absent(series.values[step]));
        for found in ones.iter_mut().filter(|found| found.members.len() > 1) {
            self.meter
                .charge(Cost::bytes(size_of::<usize>()).times(steps.count))?;
            found.present = vec![NONE; steps.count];
            for &member in &found.members {
                self.meter.work(8 + steps.count)?;
                for (step, present) in found.present.iter_mut().enumerate() {
                    if is_absent(one[member].values[step]) {
                        continue;
                    }
                    let before = std::mem::replace(present, member);
                    if before == NONE {
                        continue;
                    }
                    self.meter.work(many.len())?;
                    if any_many(step) {
                        let both = [before, member].map(|at| one[at].labels());
                        return Err(EvalError::execution(span, duplicate(both, operation)));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Evaluation<'_> {
    fn signatures(
        &self,
        left: &[Series],
        right: &[Series],
        matching: Option<&Matching>,
    ) -> Result<Matched, EvalError> {
        let count = left.len() + right.len();
        self.meter.charge(Cost::bytes(SIGNATURE).times(count))?;
        let mut signatures = Signatures::new(|name: &str| is_matched(matching, name));
        let named = matching.map_or(0, |matching| matching.labels.len());
        let mut number = |series: &Series| {
            let labels = series.labels();
            self.meter
                .work(series.label_work() + named * labels.len())?;
            Ok(signatures.number(labels))
        };
        let left: Result<Vec<usize>, EvalError> = left.iter().map(&mut number).collect();
        let right: Result<Vec<usize>, EvalError> = right.iter().map(&mut number).collect();
        Ok(Matched {
            left: left?,
            right: right?,
            count: signatures.len(),
        })
    }

    /// The result series of a match, without its values.
    fn result_series(
        &self,
        many: &Series,
        one: &Series,
        operation: &Operation,
    ) -> Result<Series, EvalError> {
        self.meter.work(many.label_work())?;
        let arithmetic = !operation.op.is_comparison();
        let mut labels = match arithmetic || operation.return_bool {
            true => many.labels().without_metadata(),
            false => many.labels().clone(),
        };
        if let Some(matching) = &operation.matching {
            let named = |name: &str| matching.labels.iter().any(|label| label.text == name);
            match &matching.group {
                None => labels = labels.filter(|name| named(name) == matching.on),
                Some(Group { include, .. }) => {
                    let texts = include
                        .iter()
                        .map(|label| one.labels().get(&label.text).len());
                    self.meter.check_available(Cost::bytes(texts.sum()))?;
                    for label in include {
                        self.meter.work(labels.len() + one.labels().len())?;
                        labels = labels.with(&label.text, one.labels().get(&label.text));
                    }
                }
            }
        }
        let mut series = many.derived(labels, Vec::new());
        series.drops_name |= operation.return_bool;
        Ok(series)
    }

    /// `and` if `wanted`, otherwise `unless`.
    fn filtered(
        &self,
        mut left: Vec<Series>,
        right: &[Series],
        signatures: &Matched,
        wanted: bool,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let present = self.presence(right, &signatures.right, signatures.count, steps)?;
        for (series, &number) in left.iter_mut().zip(&signatures.left) {
            self.meter.work(8 + steps.count)?;
            keep_where(series, &present[number], wanted);
        }
        left.retain(Series::has_samples);
        Ok(left)
    }

    fn or(
        &self,
        mut left: Vec<Series>,
        mut right: Vec<Series>,
        signatures: &Matched,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let present = self.presence(&left, &signatures.left, signatures.count, steps)?;
        for (series, &number) in right.iter_mut().zip(&signatures.right) {
            self.meter.work(8 + steps.count)?;
            keep_where(series, &present[number], false);
        }
        left.extend(right.into_iter().filter(Series::has_samples));
        merge_same_labels(left, span, &self.meter)
    }

    /// For each signature and step, whether any series has a sample; empty for a signature without series.
    fn presence(
        &self,
        series: &[Series],
        numbers: &[usize],
        count: usize,
        steps: Steps,
    ) -> Result<Vec<Vec<bool>>, EvalError> {
        self.meter.charge(Cost::bytes(SIGNATURE).times(count))?;
        let mut present = vec![Vec::new(); count];
        for (one, &number) in series.iter().zip(numbers) {
            self.meter.work(8 + steps.count)?;
            let present: &mut Vec<bool> = &mut present[number];
            if present.is_empty() {
                self.meter.charge(Cost::bytes(steps.count))?;
                present.resize(steps.count, false);
            }
            for (present, &value) in present.iter_mut().zip(&one.values) {
                *present |= !is_absent(value);
            }
        }
        Ok(present)
    }
}

impl One {
    fn at(&self, step: usize) -> usize {
        match self.present.get(step) {
            Some(&member) => member,
            None => self.members[0],
        }
    }
}

/// Whether a label is part of the signature.
fn is_matched(matching: Option<&Matching>, name: &str) -> bool {
    let Some(matching) = matching else {
        return name != METRIC_NAME;
    };
    let named = matching.labels.iter().any(|label| label.text == name);
    if matching.on {
        named
    } else {
        !named && name != METRIC_NAME
    }
}

fn duplicate(both: [&Labels; 2], operation: &Operation) -> String {
    let matching = operation.matching.as_ref();
    let group = matching.and_then(|matching| matching.group.as_ref());
    let side = match group.map(|group| group.many) {
        Some(Side::Right) => "left",
        _ => "right",
    };
    let signature = both[0].filter(|name| is_matched(matching, name));
    let mut both = both.map(|labels| shortened(Set(labels)));
    both.sort();
    shortened(format_args!(
        "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
        Set(&signature),
        both[0],
        both[1]
    ))
}

fn result_value(operation: &Operation, left: f64, right: f64) -> f64 {
    let op = operation.op;
    if !op.is_comparison() || operation.return_bool {
        return operate(op, left, right);
    }
    if holds(op, left, right) { left } else { ABSENT }
}

/// Removes the values at the steps where `present` differs from `wanted`.
fn keep_where(series: &mut Series, present: &[bool], wanted: bool) {
    if present.is_empty() && wanted {
        series.values.fill(ABSENT);
    }
    for (value, &present) in series.values.iter_mut().zip(present) {
        if present != wanted {
            *value = ABSENT;
        }
    }
}
