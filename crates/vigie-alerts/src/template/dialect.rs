//! The programs whose templates are read.

/// The program whose functions and variables a template has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Prometheus: labels and annotations of rules.
    Prometheus,
    /// Alertmanager: texts of notifications.
    Alertmanager,
}

impl Dialect {
    /// The name of the program.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::Alertmanager => "Alertmanager",
        }
    }

    /// The variables that every template has.
    pub(super) fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Prometheus => &["$", "$labels", "$value", "$externalLabels", "$externalURL"],
            Self::Alertmanager => &["$"],
        }
    }
}
