//! The texts of labels and annotations: literal, or templates expanded against a sample.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use vigie_promql::Labels;
use vigie_promql::value::VectorSample;

use super::{Context, Defaults, Time};
use crate::rules::Entry;
use crate::template::Template;
use crate::template::exec::{self, Data, Environment, Sample};

/// The bytes of an error that are shown even if the text itself may not have as many.
const MIN_ERROR_BYTES: usize = 1 << 10;

/// The value of a label or annotation.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) source: Arc<str>,
    /// `None` if the text has no actions.
    template: Option<Template>,
}

impl Text {
    /// A text that is not expanded.
    pub(super) fn literal(entry: &Entry) -> Self {
        Self {
            source: (*entry.value).into(),
            template: None,
        }
    }

    pub(super) fn template(entry: &Entry) -> Self {
        let template = entry.template.clone();
        Self {
            source: (*entry.value).into(),
            template: template.filter(|_| entry.value.contains("{{")),
        }
    }

    /// Whether it depends on the sample.
    pub(super) fn is_template(&self) -> bool {
        self.template.is_some()
    }
}

/// The data that all templates of a rule share during an evaluation.
pub(super) struct Expander<'a> {
    /// The name of the templates in errors.
    name: String,
    external_labels: OnceCell<exec::Value>,
    defaults: &'a Defaults,
    at: Time,
    context: &'a dyn Context,
    failures: Cell<usize>,
}

impl<'a> Expander<'a> {
    pub(super) fn new(
        alert: &str,
        defaults: &'a Defaults,
        at: Time,
        context: &'a dyn Context,
    ) -> Self {
        Self {
            name: format!("__alert_{alert}"),
            external_labels: OnceCell::new(),
            defaults,
            at,
            context,
            failures: Cell::new(0),
        }
    }

    /// The texts for a sample.
    pub(super) fn of<'s>(&'s self, sample: &'s VectorSample) -> Expansion<'s> {
        Expansion {
            expander: self,
            sample,
            data: OnceCell::new(),
        }
    }

    /// The number of texts that failed.
    pub(super) fn failures(&self) -> usize {
        self.failures.get()
    }

    fn external_labels(&self) -> exec::Value {
        let labels = || exec::Value::Strings(map(&self.defaults.external_labels));
        self.external_labels.get_or_init(labels).clone()
    }
}

/// The expansion of the texts of a rule for one sample.
pub(super) struct Expansion<'a> {
    expander: &'a Expander<'a>,
    sample: &'a VectorSample,
    /// The data of the templates, once one of them needs it.
    data: OnceCell<exec::Value>,
}

impl Expansion<'_> {
    /// The expanded text, of at most `bytes`; in place of a text that fails, the error, as in Prometheus.
    pub(super) fn expand(&self, text: &Text, bytes: usize) -> Arc<str> {
        let Some(template) = &text.template else {
            return Arc::clone(&text.source);
        };
        let Expander { name, failures, .. } = self.expander;
        let limits = exec::Limits {
            bytes,
            ..exec::Limits::default()
        };
        let data = self.data.get_or_init(|| self.data());
        match exec::execute(name, template, &text.source, data, self.expander, limits) {
            Ok(text) => text.into(),
            Err(error) => {
                failures.update(|failures| failures + 1);
                let mut message =
                    format!("<error expanding template: error executing template {name}: {error}>");
                message.truncate(message.floor_char_boundary(bytes.max(MIN_ERROR_BYTES)));
                message.into()
            }
        }
    }

    fn data(&self) -> exec::Value {
        let url = &self.expander.defaults.external_url;
        exec::Value::Data(Arc::new(Data {
            kind: "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }",
            fields: vec![
                ("Labels", exec::Value::Strings(map(&self.sample.labels))),
                ("ExternalLabels", self.expander.external_labels()),
                ("ExternalURL", exec::Value::Text(Arc::clone(url))),
                ("Value", exec::Value::Float(self.sample.value)),
            ],
            hidden: Vec::new(),
        }))
    }
}

impl Environment for Expander<'_> {
    fn query(&self, expression: &str) -> Result<Vec<Sample>, String> {
        let expr = vigie_promql::parse_with(expression, self.defaults.features);
        let expr = expr.map_err(|error| error.to_string())?;
        let samples = self.context.query(&expr, self.at)?.into_vector();
        let samples = samples.ok_or("query result is not a vector or scalar")?;
        let samples = samples.into_iter().map(|one| Sample {
            labels: map(&one.labels),
            value: one.value,
        });
        Ok(samples.collect())
    }

    fn external_url(&self) -> &str {
        &self.defaults.external_url
    }

    fn now(&self) -> i64 {
        self.at
    }
}

fn map(labels: &Labels) -> Arc<BTreeMap<String, String>> {
    let owned = labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Arc::new(owned.collect())
}
