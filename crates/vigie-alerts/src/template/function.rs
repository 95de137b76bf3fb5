//! The functions: those of Go's `text/template` (`funcs.go`) and those that Prometheus adds (`template/template.go`).

/// Any number of arguments.
const MANY: usize = usize::MAX;

macro_rules! functions {
    (newer: $($newer:ident)+; $($variant:ident = $name:literal $min:tt $max:tt;)+) => {
        /// The functions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Function { $($variant),+ }

        impl Function {
            /// Every function.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The minimum and maximum number of arguments, including a piped one.
            #[must_use]
            pub fn arity(self) -> (usize, usize) {
                match self { $(Self::$variant => ($min, $max)),+ }
            }

            /// Whether Prometheus 2.42 lacks it.
            #[must_use]
            pub fn is_newer(self) -> bool {
                matches!(self, $(Self::$newer)|+)
            }
        }
    };
}

functions! {
    newer: Now ToDuration UrlQueryEscape;

    And = "and" 1 MANY;
    Call = "call" 1 MANY;
    Eq = "eq" 2 MANY;
    Ge = "ge" 2 2;
    Gt = "gt" 2 2;
    Html = "html" 1 MANY;
    Index = "index" 1 MANY;
    Js = "js" 1 MANY;
    Le = "le" 2 2;
    Len = "len" 1 1;
    Lt = "lt" 2 2;
    Ne = "ne" 2 2;
    Not = "not" 1 1;
    Or = "or" 1 MANY;
    Print = "print" 0 MANY;
    Printf = "printf" 1 MANY;
    Println = "println" 0 MANY;
    Slice = "slice" 1 4;
    Urlquery = "urlquery" 1 MANY;

    Args = "args" 0 MANY;
    ExternalUrl = "externalURL" 0 0;
    First = "first" 1 1;
    GraphLink = "graphLink" 1 1;
    Humanize = "humanize" 1 1;
    Humanize1024 = "humanize1024" 1 1;
    HumanizeDuration = "humanizeDuration" 1 1;
    HumanizePercentage = "humanizePercentage" 1 1;
    HumanizeTimestamp = "humanizeTimestamp" 1 1;
    Label = "label" 2 2;
    Match = "match" 2 2;
    Now = "now" 0 0;
    ParseDuration = "parseDuration" 1 1;
    PathPrefix = "pathPrefix" 0 0;
    Query = "query" 1 1;
    ReReplaceAll = "reReplaceAll" 3 3;
    SafeHtml = "safeHtml" 1 1;
    SortByLabel = "sortByLabel" 2 2;
    StripDomain = "stripDomain" 1 1;
    StripPort = "stripPort" 1 1;
    Strvalue = "strvalue" 1 1;
    TableLink = "tableLink" 1 1;
    Title = "title" 1 1;
    ToDuration = "toDuration" 1 1;
    ToLower = "toLower" 1 1;
    ToTime = "toTime" 1 1;
    ToUpper = "toUpper" 1 1;
    UrlQueryEscape = "urlQueryEscape" 1 1;
    Value = "value" 1 1;
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Any,
    Text,
    Sample,
    Samples,
}

impl Parameter {
    /// The name of the type in Go.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Sample => "*template.sample",
            Self::Samples => "template.queryResult",
        }
    }
}

impl Function {
    /// The type of the parameter at an index.
    pub(super) fn parameter(self, index: usize) -> Parameter {
        match (self, index) {
            (
                Self::GraphLink
                | Self::Match
                | Self::ParseDuration
                | Self::Query
                | Self::ReReplaceAll
                | Self::SafeHtml
                | Self::StripDomain
                | Self::StripPort
                | Self::TableLink
                | Self::Title
                | Self::ToLower
                | Self::ToUpper
                | Self::UrlQueryEscape,
                _,
            )
            | (Self::Label | Self::Printf | Self::SortByLabel, 0) => Parameter::Text,
            (Self::Label, 1) | (Self::Value | Self::Strvalue, 0) => Parameter::Sample,
            (Self::First, 0) | (Self::SortByLabel, 1) => Parameter::Samples,
            _ => Parameter::Any,
        }
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|function| function.name() == name)
    }
}
