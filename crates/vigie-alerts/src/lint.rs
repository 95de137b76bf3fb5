//! The names and levels of findings.

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Prometheus refuses the file, or the rule can never work.
    Error,
    /// Probably a mistake.
    Warning,
}

impl Level {
    /// The level in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! lints {
    ($($variant:ident $level:ident $name:literal $meaning:literal;)+) => {
        /// A kind of finding. Names are stable: files refer to them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Lint {
            $(#[doc = $meaning] $variant,)+
        }

        impl Lint {
            /// All kinds: errors first.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name, in kebab case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// How serious it is.
            #[must_use]
            pub fn level(self) -> Level {
                match self {
                    $(Self::$variant => Level::$level,)+
                }
            }

            /// One sentence for the documentation.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                }
            }
        }
    };
}

lints! {
    FileSize Error "file-size" "The file exceeds 1 MiB and is not read.";
    Yaml Error "yaml" "The file is not valid YAML.";
    SecondDocument Error "second-document" "Prometheus reads only the first YAML document of a file.";
    Alias Error "alias" "`alert`, `record` or `expr` is a YAML alias, which Prometheus 2.42 replaces by the anchor's name.";
    UnknownKey Error "unknown-key" "A key that rule files do not have.";
    MissingKey Error "missing-key" "A required key is missing.";
    DuplicateKey Error "duplicate-key" "A key is given twice.";
    EmptyValue Error "empty-value" "A required value is empty.";
    WrongType Error "wrong-type" "A list, table or text where another is expected.";
    InvalidValue Error "invalid-value" "A duration or number that cannot be parsed.";
    InvalidName Error "invalid-name" "A name that Prometheus 2.42 refuses for a metric, label or annotation.";
    DuplicateGroup Error "duplicate-group" "Two groups have the same name.";
    AlertAndRecord Error "alert-and-record" "A rule has both `alert` and `record`.";
    AlertingOnly Error "alerting-only" "A recording rule has a key of alerting rules.";
    NewerPrometheus Error "newer-prometheus" "Needs a newer version than Prometheus 2.42, which refuses the whole file.";
    Promql Error "promql" "The expression is not valid PromQL.";
    ResultType Error "result-type" "The expression does not result in a vector or scalar.";
    TemplateSyntax Error "template-syntax" "The template cannot be parsed.";
    TemplateValue Error "template-value" "The template fails when it is expanded: a wrong number of arguments, or a field that does not exist.";
    NotChecked Warning "not-checked" "The expression exceeds the limits of this checker, or is not supported by it.";
    YamlTag Warning "yaml-tag" "A YAML tag, which Prometheus ignores.";
    DuplicateRule Warning "duplicate-rule" "Two rules have the same name and labels, and can result in the same series.";
    UnknownMetric Warning "unknown-metric" "Neither Vigie, a recording rule nor the declarations have this metric.";
    UnknownLabel Warning "unknown-label" "The series do not have this label.";
    UnknownValue Warning "unknown-value" "The label never has this value: a state or a bucket that does not exist.";
    NotACounter Warning "not-a-counter" "`rate()`, `irate()` or `increase()` over a gauge or over computed values.";
    Threshold Warning "threshold" "The threshold of a quantile is not a bucket boundary, or is never exceeded.";
    InvalidIgnore Warning "invalid-ignore" "A `# vigie: ignore` comment that cannot be understood.";
    UnusedIgnore Warning "unused-ignore" "A `# vigie: ignore` comment that suppresses nothing.";
}

impl Lint {
    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|lint| lint.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_errors_come_first() {
        for lint in Lint::ALL {
            assert_eq!(Lint::named(lint.name()), Some(*lint));
            let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(lint.name().chars().all(kebab), "{}", lint.name());
        }
        assert!(Lint::ALL.is_sorted_by_key(|lint| lint.level()));
    }
}
