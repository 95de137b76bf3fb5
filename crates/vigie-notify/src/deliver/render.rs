//! The texts of a message, from the templates of the settings.
//!
//! The built-in texts have no markup, so they are escaped as a whole if the receiver has one. Templates of the user are
//! rendered as in Alertmanager: they contain the markup, and values are escaped only in HTML.

use super::failure::{Cause, Failure};
use super::text;
use crate::message::Message;
use crate::template::{self, Data, Links, Templates};

/// The texts of one message.
pub(super) struct Texts<'a> {
    pub(super) message: &'a Message,
    pub(super) links: &'a (dyn Links + Send + Sync),
    pub(super) templates: &'a Templates,
    /// Whether the texts that settings refer to by default are the built-in ones.
    pub(super) uses_builtin_texts: bool,
    pub(super) data: Data,
}

impl Texts<'_> {
    /// Whether any of the alerts fires.
    pub(super) fn fires(&self) -> bool {
        !self.message.firing.is_empty()
    }

    /// The link that acknowledges the alert, if the message is about one.
    pub(super) fn acknowledge(&self) -> Option<String> {
        match &*self.message.firing {
            [alert] => self.links.acknowledge(alert),
            _ => None,
        }
    }

    /// A text.
    pub(super) fn text(&self, template: &str) -> Result<String, Failure> {
        self.templates.text(template, &self.data).map_err(failed)
    }

    /// A text in which values are escaped for HTML.
    pub(super) fn html(&self, template: &str) -> Result<String, Failure> {
        self.templates.html(template, &self.data).map_err(failed)
    }

    /// A text for Slack.
    pub(super) fn slack(&self, template: &str) -> Result<String, Failure> {
        let text = self.text(template)?;
        Ok(match self.is_built_in(template) {
            true => text::slack(&text),
            false => text,
        })
    }

    /// A text for Telegram without HTML; `escape` is that of the markup.
    pub(super) fn telegram(
        &self,
        template: &str,
        escape: fn(&str) -> String,
    ) -> Result<String, Failure> {
        // The built-in text is HTML.
        const PLAIN: &str = "{{ template \"pushover.default.title\" . }}\n{{ template \"pushover.default.message\" . }}";
        match self.is_built_in(template) {
            true => Ok(escape(&self.text(PLAIN)?)),
            false => self.text(template),
        }
    }

    /// Whether a setting is the default one, and the text that it refers to is built in.
    fn is_built_in(&self, template: &str) -> bool {
        self.uses_builtin_texts
            && template.starts_with("{{ template \"")
            && template.contains(".default.")
            && template.matches("{{").count() == 1
            && template.trim_end().ends_with("}}")
    }
}

fn failed(failure: template::Failure) -> Failure {
    Failure::new(Cause::Template, failure.to_string())
}
