//! Operators between two vectors: which series of one side meets which of the other.
//!
//! A series' *signature* is the labels it is matched by. Which series share one is found once; at each step only those
//! count that have a sample there.

use std::collections::HashMap;

use super::{
    Evaluation,
    column::{ABSENT, Column, Series, Steps, is_absent},
    error::EvalError,
    names::join_same_labels,
};
use crate::{
    functions::math::{holds, operate},
    labels::{Labels, METRIC_NAME, Set},
    syntax::{BinaryOp, Group, Matching, Operation, Side, Span},
};

type Places<T> = HashMap<Labels, T, foldhash::fast::RandomState>;

const NONE: u32 = u32::MAX;

/// The series of one signature on the side that has one for each.
struct One {
    members: Vec<u32>,
    /// For each step the member that has a sample; not made while there is only one member.
    present: Vec<u32>,
}

/// A series of the result under construction.
struct Output {
    labels: Labels,
    nameless: bool,
    values: Column,
    /// Steps at which a match was made, be it kept or filtered out.
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
        let matching = operation.matching.as_ref();
        match operation.op {
            BinaryOp::And | BinaryOp::Unless => Ok(filtered(left, operation, &right, steps)),
            BinaryOp::Or => or(left, matching, right, span, steps),
            _ => self.combined(&left, operation, &right, span, steps),
        }
    }

    fn combined(
        &mut self,
        left: &[Series],
        operation: &Operation,
        right: &[Series],
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let matching = operation.matching.as_ref();
        let group = matching.and_then(|matching| matching.group.as_ref());
        let swapped = group.is_some_and(|group| group.many == Side::Right);
        let (many, one) = if swapped {
            (right, left)
        } else {
            (left, right)
        };
        let ones = self.ones(many, one, matching, swapped, span, steps)?;
        let mut outputs: Vec<Output> = Vec::new();
        let mut places: Places<usize> = Places::default();
        // Of one-to-one matches: for each signature, the steps at which it was used.
        let mut used: Places<Vec<bool>> = Places::default();
        for series in many {
            self.check()?;
            let signature = signature(&series.labels, matching);
            let Some(found) = ones.get(&signature) else {
                continue;
            };
            let mut used = match group {
                None => Some(
                    used.entry(signature)
                        .or_insert_with(|| vec![false; steps.count]),
                ),
                Some(_) => None,
            };
            let mut current = (NONE, 0);
            for step in 0..steps.count {
                let value = series.values[step];
                let partner = found.at(step);
                if is_absent(value) || partner == NONE {
                    continue;
                }
                let other = &one[partner as usize];
                let partner_value = other.values[step];
                if is_absent(partner_value) {
                    continue;
                }
                if let Some(used) = &mut used
                    && std::mem::replace(&mut used[step], true)
                {
                    let message = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
                    return Err(EvalError::execution(span, message));
                }
                if current.0 != partner {
                    let labels = result_labels(&series.labels, &other.labels, operation);
                    let place = *places.entry(labels.clone()).or_insert(outputs.len());
                    if place == outputs.len() {
                        self.charge(steps.count)?;
                        outputs.push(Output::new(labels, steps.count));
                    }
                    outputs[place].nameless |= series.nameless || operation.return_bool;
                    current = (partner, place);
                }
                let output = &mut outputs[current.1];
                if std::mem::replace(&mut output.matched[step], true) {
                    let message =
                        "multiple matches for labels: grouping labels must ensure unique matches";
                    return Err(EvalError::execution(span, message));
                }
                let (left, right) = match swapped {
                    true => (partner_value, value),
                    false => (value, partner_value),
                };
                output.values[step] = result_value(operation, left, right);
            }
        }
        let series = outputs.into_iter().map(|output| Series {
            labels: output.labels,
            nameless: output.nameless,
            values: output.values,
        });
        Ok(series.filter(Series::has_samples).collect())
    }

    /// The series of the side of one, by signature. Fails where two of one signature meet at a step.
    fn ones(
        &mut self,
        many: &[Series],
        one: &[Series],
        matching: Option<&Matching>,
        swapped: bool,
        span: Span,
        steps: Steps,
    ) -> Result<Places<One>, EvalError> {
        let mut ones: Places<One> = Places::default();
        for (at, series) in one.iter().enumerate() {
            let signature = signature(&series.labels, matching);
            let found = ones.entry(signature).or_insert_with(|| One {
                members: Vec::new(),
                present: Vec::new(),
            });
            found.members.push(at as u32);
        }
        // Where one side is empty at a step, nothing is matched there and no duplicate seen.
        let any_many = |step: usize| many.iter().any(|series| !is_absent(series.values[step]));
        for (signature, found) in &mut ones {
            if found.members.len() < 2 {
                continue;
            }
            self.check()?;
            self.charge(steps.count)?;
            found.present = vec![NONE; steps.count];
            for &member in &found.members {
                for step in 0..steps.count {
                    if is_absent(one[member as usize].values[step]) {
                        continue;
                    }
                    let before = std::mem::replace(&mut found.present[step], member);
                    if before != NONE && any_many(step) {
                        let side = if swapped { "left" } else { "right" };
                        let mut both =
                            [before, member].map(|at| Set(&one[at as usize].labels).to_string());
                        both.sort();
                        let message = format!(
                            "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                            Set(signature),
                            both[0],
                            both[1]
                        );
                        return Err(EvalError::execution(span, message));
                    }
                }
            }
        }
        Ok(ones)
    }
}

impl One {
    fn at(&self, step: usize) -> u32 {
        match self.present.get(step) {
            Some(&member) => member,
            None => self.members[0],
        }
    }
}

impl Output {
    fn new(labels: Labels, count: usize) -> Self {
        Self {
            labels,
            nameless: false,
            values: vec![ABSENT; count],
            matched: vec![false; count],
        }
    }
}

/// The labels by which a series is matched.
fn signature(labels: &Labels, matching: Option<&Matching>) -> Labels {
    match matching {
        None => labels.filter(|name| name != METRIC_NAME),
        Some(matching) if matching.on => {
            labels.filter(|name| matching.labels.iter().any(|label| label.text == name))
        }
        Some(matching) => labels.filter(|name| {
            name != METRIC_NAME && !matching.labels.iter().any(|label| label.text == name)
        }),
    }
}

fn result_labels(many: &Labels, one: &Labels, operation: &Operation) -> Labels {
    let arithmetic = !operation.op.is_comparison();
    let mut labels = match arithmetic || operation.return_bool {
        true => many.without_metadata(),
        false => many.clone(),
    };
    let Some(matching) = &operation.matching else {
        return labels;
    };
    let named = |name: &str| matching.labels.iter().any(|label| label.text == name);
    match &matching.group {
        None => labels = labels.filter(|name| named(name) == matching.on),
        Some(Group { include, .. }) => {
            for label in include {
                labels = labels.with(&label.text, one.get(&label.text));
            }
        }
    }
    labels
}

fn result_value(operation: &Operation, left: f64, right: f64) -> f64 {
    let op = operation.op;
    if !op.is_comparison() || operation.return_bool {
        return operate(op, left, right);
    }
    if holds(op, left, right) { left } else { ABSENT }
}

/// At each step, whether any series of a signature has a sample.
fn presence(series: &[Series], matching: Option<&Matching>, steps: Steps) -> Places<Vec<bool>> {
    let mut present: Places<Vec<bool>> = Places::default();
    for one in series {
        let found = present.entry(signature(&one.labels, matching));
        let found = found.or_insert_with(|| vec![false; steps.count]);
        for (found, &value) in found.iter_mut().zip(&one.values) {
            *found |= !is_absent(value);
        }
    }
    present
}

/// `and` and `unless`.
fn filtered(
    mut left: Vec<Series>,
    operation: &Operation,
    right: &[Series],
    steps: Steps,
) -> Vec<Series> {
    let matching = operation.matching.as_ref();
    let present = presence(right, matching, steps);
    let wanted = operation.op == BinaryOp::And;
    left.retain_mut(
        |series| match present.get(&signature(&series.labels, matching)) {
            None => !wanted,
            Some(present) => {
                for (value, &present) in series.values.iter_mut().zip(present) {
                    if present != wanted {
                        *value = ABSENT;
                    }
                }
                series.has_samples()
            }
        },
    );
    left
}

fn or(
    mut left: Vec<Series>,
    matching: Option<&Matching>,
    right: Vec<Series>,
    span: Span,
    steps: Steps,
) -> Result<Vec<Series>, EvalError> {
    let present = presence(&left, matching, steps);
    for mut series in right {
        if let Some(present) = present.get(&signature(&series.labels, matching)) {
            for (value, &present) in series.values.iter_mut().zip(present) {
                if present {
                    *value = ABSENT;
                }
            }
        }
        if series.has_samples() {
            left.push(series);
        }
    }
    join_same_labels(left, span)
}
