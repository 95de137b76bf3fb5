//! The functions: those of Go's `text/template` (`funcs.go`), and those that Prometheus and Alertmanager add (both in
//! `template/template.go`).

use super::dialect::Dialect;

/// Any number of arguments.
const MANY: usize = usize::MAX;

macro_rules! functions {
    (newer: $($newer:ident)+; $($($set:ident)+ { $($variant:ident = $name:literal $min:tt $max:tt;)+ })+) => {
        /// The functions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Function { $($($variant),+),+ }

        impl Function {
            /// Every function.
            pub const ALL: &[Self] = &[$($(Self::$variant),+),+];

            /// The name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name),+),+ }
            }

            /// The minimum and maximum number of arguments, including a piped one.
            #[must_use]
            pub fn arity(self) -> (usize, usize) {
                match self { $($(Self::$variant => ($min, $max)),+),+ }
            }

            /// The dialects that have it.
            fn dialects(self) -> &'static [Dialect] {
                match self { $($(Self::$variant)|+ => &[$(Dialect::$set),+]),+ }
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

    Prometheus Alertmanager {
        And = "and" 1 MANY;
        Call = "call" 1 MANY;
        Eq = "eq" 2 MANY;
        Ge = "ge" 2 2;
        Gt = "gt" 2 2;
        Html = "html" 0 MANY;
        Index = "index" 1 MANY;
        Js = "js" 0 MANY;
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
        Urlquery = "urlquery" 0 MANY;

        HumanizeDuration = "humanizeDuration" 1 1;
        Match = "match" 2 2;
        Now = "now" 0 0;
        ReReplaceAll = "reReplaceAll" 3 3;
        SafeHtml = "safeHtml" 1 1;
        Title = "title" 1 1;
        ToLower = "toLower" 1 1;
        ToUpper = "toUpper" 1 1;
    }

    Prometheus {
        Args = "args" 0 MANY;
        ExternalUrl = "externalURL" 0 0;
        First = "first" 1 1;
        GraphLink = "graphLink" 1 1;
        Humanize = "humanize" 1 1;
        Humanize1024 = "humanize1024" 1 1;
        HumanizePercentage = "humanizePercentage" 1 1;
        HumanizeTimestamp = "humanizeTimestamp" 1 1;
        Label = "label" 2 2;
        ParseDuration = "parseDuration" 1 1;
        PathPrefix = "pathPrefix" 0 0;
        Query = "query" 1 1;
        SortByLabel = "sortByLabel" 2 2;
        StripDomain = "stripDomain" 1 1;
        StripPort = "stripPort" 1 1;
        Strvalue = "strvalue" 1 1;
        TableLink = "tableLink" 1 1;
        ToDuration = "toDuration" 1 1;
        ToTime = "toTime" 1 1;
        UrlQueryEscape = "urlQueryEscape" 1 1;
        Value = "value" 1 1;
    }

    Alertmanager {
        Append = "append" 1 MANY;
        Base64Decode = "base64decode" 1 1;
        Base64Encode = "base64encode" 1 1;
        Date = "date" 2 2;
        Dict = "dict" 0 MANY;
        Join = "join" 2 2;
        List = "list" 0 MANY;
        MustToDate = "mustToDate" 2 2;
        RouteLabels = "routeLabels" 1 1;
        SafeUrl = "safeUrl" 1 1;
        Since = "since" 1 1;
        StringSlice = "stringSlice" 0 MANY;
        ToDate = "toDate" 2 2;
        ToJson = "toJson" 1 1;
        TrimSpace = "trimSpace" 1 1;
        Tz = "tz" 2 2;
        UrlUnescape = "urlUnescape" 1 1;
    }
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Any,
    Text,
    Texts,
    List,
    Int,
    Sample,
    Samples,
    Time,
    Duration,
}

impl Parameter {
    /// The name of the type in Go.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Texts => "[]string",
            Self::List => "[]interface {}",
            Self::Int => "int",
            Self::Sample => "*template.sample",
            Self::Samples => "template.queryResult",
            Self::Time => "time.Time",
            Self::Duration => "time.Duration",
        }
    }
}

impl Function {
    /// The type of the parameter at an index.
    pub(super) fn parameter(self, index: usize) -> Parameter {
        match (self, index) {
            (
                Self::Base64Decode
                | Self::Base64Encode
                | Self::GraphLink
                | Self::Match
                | Self::MustToDate
                | Self::ParseDuration
                | Self::Query
                | Self::ReReplaceAll
                | Self::RouteLabels
                | Self::SafeHtml
                | Self::SafeUrl
                | Self::StringSlice
                | Self::StripDomain
                | Self::StripPort
                | Self::TableLink
                | Self::Title
                | Self::ToDate
                | Self::ToLower
                | Self::ToUpper
                | Self::TrimSpace
                | Self::UrlQueryEscape
                | Self::UrlUnescape,
                _,
            )
            | (
                Self::Date | Self::Join | Self::Label | Self::Printf | Self::SortByLabel | Self::Tz,
                0,
            ) => Parameter::Text,
            (Self::Join, 1) => Parameter::Texts,
            (Self::Append, 0) => Parameter::List,
            (Self::Label, 1) | (Self::Value | Self::Strvalue, 0) => Parameter::Sample,
            (Self::First, 0) | (Self::SortByLabel, 1) => Parameter::Samples,
            (Self::Since, 0) | (Self::Date | Self::Tz, 1) => Parameter::Time,
            _ => Parameter::Any,
        }
    }

    /// Whether templates of a dialect have it.
    #[must_use]
    pub fn is_in(self, dialect: Dialect) -> bool {
        self.dialects().contains(&dialect)
    }

    pub(super) fn find(name: &str, dialect: Dialect) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|function| function.name() == name && function.is_in(dialect))
    }
}
