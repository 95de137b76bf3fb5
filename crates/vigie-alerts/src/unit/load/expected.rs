//! The expected alerts and samples.

use vigie_promql::{Features, Labels};

use super::super::file::{Alert, AlertTest, ExprTest};
use super::series::metric;
use super::values::{invalid, items, pairs, time};
use crate::finding::Finding;
use crate::rules::reader::{Keys, Reader, field};
use crate::yaml::Node;

const ALERT_TEST: Keys = Keys {
    of: "an alert test",
    known: &["eval_time", "alertname", "exp_alerts"],
};
const ALERT: Keys = Keys {
    of: "an expected alert",
    known: &["exp_labels", "exp_annotations"],
};
const EXPR_TEST: Keys = Keys {
    of: "an expression test",
    known: &["expr", "eval_time", "exp_samples"],
};
const SAMPLE: Keys = Keys {
    of: "an expected sample",
    known: &["labels", "value"],
};

pub(super) fn alert_test(node: &Node, reader: &mut Reader) -> Option<AlertTest> {
    let fields = reader.fields(node, &ALERT_TEST);
    let at = time(field(&fields, "eval_time"), reader);
    let Some(name) = field(&fields, "alertname") else {
        reader.missing(node.start(), "alertname", ALERT_TEST.of);
        return None;
    };
    let name = reader.text(name)?;
    let mut expected = Vec::new();
    for node in items(field(&fields, "exp_alerts"), reader) {
        let fields = reader.fields(node, &ALERT);
        let mut labels = pairs(field(&fields, "exp_labels"), reader);
        labels.retain(|(label, _)| label != "alertname");
        labels.push(("alertname".to_owned(), name.to_string()));
        labels.sort();
        let mut annotations = pairs(field(&fields, "exp_annotations"), reader);
        annotations.sort();
        expected.push(Alert {
            labels,
            annotations,
        });
    }
    expected.sort();
    Some(AlertTest {
        span: name.span(),
        at,
        name: name.clone(),
        expected,
    })
}

pub(super) fn expr_test(node: &Node, features: Features, reader: &mut Reader) -> Option<ExprTest> {
    let fields = reader.fields(node, &EXPR_TEST);
    let at = time(field(&fields, "eval_time"), reader);
    let Some(text) = field(&fields, "expr") else {
        reader.missing(node.start(), "expr", EXPR_TEST.of);
        return None;
    };
    let text = reader.text(text)?;
    let mut expected = Vec::new();
    for node in items(field(&fields, "exp_samples"), reader) {
        expected.push(sample(node, reader)?);
    }
    match vigie_promql::parse_with(text, features) {
        Ok(expr) => Some(ExprTest {
            span: text.span(),
            at,
            text: text.clone(),
            expr,
            expected,
        }),
        Err(error) => {
            let span = text.locate(error.span.range());
            reader.find(Finding::not_promql(&error, span));
            None
        }
    }
}

fn sample(node: &Node, reader: &mut Reader) -> Option<(Labels, f64)> {
    let fields = reader.fields(node, &SAMPLE);
    let value = match field(&fields, "value").and_then(|field| reader.any_text(field)) {
        None => 0.0,
        Some(text) => text.float().or_else(|| {
            invalid(
                text,
                "a number",
                "as in 5, 0.25, 1e6, .inf or .nan, without quotes",
                reader,
            );
            None
        })?,
    };
    let Some(labels) = field(&fields, "labels") else {
        reader.missing(node.start(), "labels", SAMPLE.of);
        return None;
    };
    let labels = reader.text(labels)?;
    match metric(labels) {
        Ok(labels) => Some((labels, value)),
        Err(reason) => {
            invalid(labels, "a series", &reason, reader);
            None
        }
    }
}
