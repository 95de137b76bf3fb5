//! Reads labels and annotations.

use super::super::Entry;
use super::super::names::is_label;
use super::super::reader::Field;
use super::Loader;
use crate::finding::Finding;
use crate::lint::Lint;
use crate::template::{self, Template};
use crate::yaml::{Text, shown};

impl Loader {
    pub(super) fn entries(
        &mut self,
        from: Option<Field<'_>>,
        what: &str,
        templated: bool,
    ) -> Vec<Entry> {
        let Some(from) = from else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        for field in self.reader.table(from.value, &format!("`{what}s`")) {
            if !is_label(field.key) || (what == "label" && &**field.key == "__name__") {
                let title = format!("`{}` is not a name for a {what}", shown(field.key));
                let label = "letters, digits and `_`, not a digit first";
                self.reader.find(Finding::new(
                    Lint::InvalidName,
                    field.key.span(),
                    title,
                    label,
                ));
            }
            let Some(value) = self.reader.any_text(field) else {
                continue;
            };
            let template = if templated {
                self.template(value)
            } else {
                None
            };
            entries.push(Entry {
                key: field.key.clone(),
                value: value.clone(),
                template,
            });
        }
        entries
    }

    fn template(&mut self, text: &Text) -> Option<Template> {
        match template::parse(text) {
            Ok(template) => Some(template),
            Err(error) => {
                let span = text.locate(error.span);
                let finding = Finding::new(Lint::TemplateSyntax, span, error.title, error.label);
                self.reader.find(finding.help(error.help));
                None
            }
        }
    }
}
