//! Names and signatures of the functions.

use super::ast::AggregateOp;
use super::ast::ValueType::{self, Matrix, Scalar, String, Vector};
use crate::suggest;

/// Optional arguments of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    /// None.
    Exact,
    /// The last argument is optional.
    LastOptional,
    /// The last argument may occur any number of times, including none.
    LastRepeated,
    /// The last argument may occur one to ten times.
    UpToTen,
}

macro_rules! functions {
    ($($variant:ident = $name:literal ($($arg:ident),*) $arity:ident -> $returns:ident;)+) => {
        /// The functions that this engine evaluates.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Function { $($variant),+ }

        impl Function {
            /// All functions, sorted by name.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name as written in PromQL.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The types of the arguments, including optional ones.
            #[must_use]
            pub fn args(self) -> &'static [ValueType] {
                match self { $(Self::$variant => &[$($arg),*]),+ }
            }

            pub(super) fn arity(self) -> Arity {
                match self { $(Self::$variant => Arity::$arity),+ }
            }

            /// The type of the result.
            #[must_use]
            pub fn returns(self) -> ValueType {
                match self { $(Self::$variant => $returns),+ }
            }
        }
    };
}

functions! {
    Abs = "abs"(Vector) Exact -> Vector;
    Absent = "absent"(Vector) Exact -> Vector;
    AbsentOverTime = "absent_over_time"(Matrix) Exact -> Vector;
    Acos = "acos"(Vector) Exact -> Vector;
    Acosh = "acosh"(Vector) Exact -> Vector;
    Asin = "asin"(Vector) Exact -> Vector;
    Asinh = "asinh"(Vector) Exact -> Vector;
    Atan = "atan"(Vector) Exact -> Vector;
    Atanh = "atanh"(Vector) Exact -> Vector;
    AvgOverTime = "avg_over_time"(Matrix) Exact -> Vector;
    Ceil = "ceil"(Vector) Exact -> Vector;
    Changes = "changes"(Matrix) Exact -> Vector;
    Clamp = "clamp"(Vector, Scalar, Scalar) Exact -> Vector;
    ClampMax = "clamp_max"(Vector, Scalar) Exact -> Vector;
    ClampMin = "clamp_min"(Vector, Scalar) Exact -> Vector;
    Cos = "cos"(Vector) Exact -> Vector;
    Cosh = "cosh"(Vector) Exact -> Vector;
    CountOverTime = "count_over_time"(Matrix) Exact -> Vector;
    DayOfMonth = "day_of_month"(Vector) LastOptional -> Vector;
    DayOfWeek = "day_of_week"(Vector) LastOptional -> Vector;
    DayOfYear = "day_of_year"(Vector) LastOptional -> Vector;
    DaysInMonth = "days_in_month"(Vector) LastOptional -> Vector;
    Deg = "deg"(Vector) Exact -> Vector;
    Delta = "delta"(Matrix) Exact -> Vector;
    Deriv = "deriv"(Matrix) Exact -> Vector;
    DoubleExponentialSmoothing = "double_exponential_smoothing"(Matrix, Scalar, Scalar) Exact -> Vector;
    EndOf = "end"() Exact -> Scalar;
    Exp = "exp"(Vector) Exact -> Vector;
    FirstOverTime = "first_over_time"(Matrix) Exact -> Vector;
    Floor = "floor"(Vector) Exact -> Vector;
    HistogramAvg = "histogram_avg"(Vector) Exact -> Vector;
    HistogramCount = "histogram_count"(Vector) Exact -> Vector;
    HistogramFraction = "histogram_fraction"(Scalar, Scalar, Vector) Exact -> Vector;
    HistogramQuantile = "histogram_quantile"(Scalar, Vector) Exact -> Vector;
    HistogramQuantiles = "histogram_quantiles"(Vector, String, Scalar) UpToTen -> Vector;
    HistogramStddev = "histogram_stddev"(Vector) Exact -> Vector;
    HistogramStdvar = "histogram_stdvar"(Vector) Exact -> Vector;
    HistogramSum = "histogram_sum"(Vector) Exact -> Vector;
    Hour = "hour"(Vector) LastOptional -> Vector;
    Idelta = "idelta"(Matrix) Exact -> Vector;
    Increase = "increase"(Matrix) Exact -> Vector;
    Info = "info"(Vector, Vector) LastOptional -> Vector;
    Irate = "irate"(Matrix) Exact -> Vector;
    LabelJoin = "label_join"(Vector, String, String, String) LastRepeated -> Vector;
    LabelReplace = "label_replace"(Vector, String, String, String, String) Exact -> Vector;
    LastOverTime = "last_over_time"(Matrix) Exact -> Vector;
    Ln = "ln"(Vector) Exact -> Vector;
    Log10 = "log10"(Vector) Exact -> Vector;
    Log2 = "log2"(Vector) Exact -> Vector;
    MadOverTime = "mad_over_time"(Matrix) Exact -> Vector;
    MaxOf = "max_of"(Scalar, Scalar) Exact -> Scalar;
    MaxOverTime = "max_over_time"(Matrix) Exact -> Vector;
    MinOf = "min_of"(Scalar, Scalar) Exact -> Scalar;
    MinOverTime = "min_over_time"(Matrix) Exact -> Vector;
    Minute = "minute"(Vector) LastOptional -> Vector;
    Month = "month"(Vector) LastOptional -> Vector;
    Pi = "pi"() Exact -> Scalar;
    PredictLinear = "predict_linear"(Matrix, Scalar) Exact -> Vector;
    PresentOverTime = "present_over_time"(Matrix) Exact -> Vector;
    QuantileOverTime = "quantile_over_time"(Scalar, Matrix) Exact -> Vector;
    Rad = "rad"(Vector) Exact -> Vector;
    RangeOf = "range"() Exact -> Scalar;
    Rate = "rate"(Matrix) Exact -> Vector;
    Resets = "resets"(Matrix) Exact -> Vector;
    Round = "round"(Vector, Scalar) LastOptional -> Vector;
    ScalarOf = "scalar"(Vector) Exact -> Scalar;
    Sgn = "sgn"(Vector) Exact -> Vector;
    Sin = "sin"(Vector) Exact -> Vector;
    Sinh = "sinh"(Vector) Exact -> Vector;
    Sort = "sort"(Vector) Exact -> Vector;
    SortByLabel = "sort_by_label"(Vector, String) LastRepeated -> Vector;
    SortByLabelDesc = "sort_by_label_desc"(Vector, String) LastRepeated -> Vector;
    SortDesc = "sort_desc"(Vector) Exact -> Vector;
    Sqrt = "sqrt"(Vector) Exact -> Vector;
    StartOf = "start"() Exact -> Scalar;
    StddevOverTime = "stddev_over_time"(Matrix) Exact -> Vector;
    StdvarOverTime = "stdvar_over_time"(Matrix) Exact -> Vector;
    StepOf = "step"() Exact -> Scalar;
    SumOverTime = "sum_over_time"(Matrix) Exact -> Vector;
    Tan = "tan"(Vector) Exact -> Vector;
    Tanh = "tanh"(Vector) Exact -> Vector;
    Time = "time"() Exact -> Scalar;
    Timestamp = "timestamp"(Vector) Exact -> Vector;
    TsOfFirstOverTime = "ts_of_first_over_time"(Matrix) Exact -> Vector;
    TsOfLastOverTime = "ts_of_last_over_time"(Matrix) Exact -> Vector;
    TsOfMaxOverTime = "ts_of_max_over_time"(Matrix) Exact -> Vector;
    TsOfMinOverTime = "ts_of_min_over_time"(Matrix) Exact -> Vector;
    VectorOf = "vector"(Scalar) Exact -> Vector;
    Year = "year"(Vector) LastOptional -> Vector;
}

/// Functions of Prometheus that this engine does not evaluate, with the reason.
pub(super) const NOT_EVALUATED: &[(&str, &str)] = &[
    (
        "holt_winters",
        "since Prometheus 3.0 it is double_exponential_smoothing(), which is experimental; it is",
    ),
    (
        "start_timestamp",
        "samples have no start timestamps here, so it is",
    ),
];

impl Function {
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|function| function.name() == name)
    }

    /// Whether Prometheus has the function only behind a feature flag.
    #[must_use]
    pub fn is_experimental(self) -> bool {
        matches!(
            self,
            Self::DoubleExponentialSmoothing
                | Self::EndOf
                | Self::HistogramQuantiles
                | Self::Info
                | Self::MadOverTime
                | Self::MaxOf
                | Self::MinOf
                | Self::RangeOf
                | Self::SortByLabel
                | Self::SortByLabelDesc
                | Self::StartOf
                | Self::StepOf
                | Self::TsOfFirstOverTime
                | Self::TsOfLastOverTime
                | Self::TsOfMaxOverTime
                | Self::TsOfMinOverTime
        )
    }

    /// The minimum and the maximum number of arguments.
    #[must_use]
    pub fn arg_count(self) -> (usize, usize) {
        let all = self.args().len();
        match self.arity() {
            Arity::Exact => (all, all),
            Arity::LastOptional => (all - 1, all),
            Arity::LastRepeated => (all - 1, usize::MAX),
            Arity::UpToTen => (all, all + 9),
        }
    }
}

/// The function or aggregation with the most similar name, if any is similar enough.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let aggregations = AggregateOp::ALL.iter().filter(|one| !one.is_experimental());
    let aggregations = aggregations.map(|op| op.text());
    let stable = Function::ALL.iter().filter(|one| !one.is_experimental());
    let names = stable.map(|function| function.name());
    suggest::nearest(name, names.chain(aggregations))
}
