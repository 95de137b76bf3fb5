//! The labels of results and of errors.

use super::is_matched;
use crate::{
    eval::{Evaluation, column::Series, error::EvalError, meter::Cost},
    format::shortened,
    labels::{Labels, Set},
    syntax::{Group, Matching, Operation, Side},
};

impl Evaluation<'_> {
    /// The result series of a match, without its values.
    pub(super) fn result_series(
        &self,
        many: &Series,
        one: &Series,
        operation: &Operation,
    ) -> Result<Series, EvalError> {
        self.meter.work(many.label_work())?;
        let mut labels = match operation.op.is_arithmetic() || operation.return_bool {
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

    /// The series that stands for one that a side lacks: it has the labels by which `other` is matched.
    pub(super) fn filler(
        &self,
        other: &Series,
        matching: Option<&Matching>,
    ) -> Result<Series, EvalError> {
        self.meter.work(other.label_work())?;
        let labels = other.labels().filter(|name| is_matched(matching, name));
        let filler = Series::new(labels, Vec::new());
        self.meter.check_available(Cost::series(&filler))?;
        Ok(filler)
    }
}

pub(super) fn duplicate(both: [&Labels; 2], operation: &Operation) -> String {
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
