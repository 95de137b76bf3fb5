//! Names and signatures of the functions.

use super::ast::ValueType::{self, Matrix, Scalar, String, Vector};

/// Optional arguments of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    /// None.
    Exact,
    /// The last argument is optional.
    LastOptional,
    /// The last argument may occur any number of times, including none.
    LastRepeated,
}

macro_rules! functions {
    ($($variant:ident = $name:literal ($($arg:ident),*) $arity:ident -> $returns:ident;)+) => {
        /// The functions that this engine evaluates: all stable ones.
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
    Exp = "exp"(Vector) Exact -> Vector;
    FirstOverTime = "first_over_time"(Matrix) Exact -> Vector;
    Floor = "floor"(Vector) Exact -> Vector;
    HistogramAvg = "histogram_avg"(Vector) Exact -> Vector;
    HistogramCount = "histogram_count"(Vector) Exact -> Vector;
    HistogramFraction = "histogram_fraction"(Scalar, Scalar, Vector) Exact -> Vector;
    HistogramQuantile = "histogram_quantile"(Scalar, Vector) Exact -> Vector;
    HistogramStddev = "histogram_stddev"(Vector) Exact -> Vector;
    HistogramStdvar = "histogram_stdvar"(Vector) Exact -> Vector;
    HistogramSum = "histogram_sum"(Vector) Exact -> Vector;
    Hour = "hour"(Vector) LastOptional -> Vector;
    Idelta = "idelta"(Matrix) Exact -> Vector;
    Increase = "increase"(Matrix) Exact -> Vector;
    Irate = "irate"(Matrix) Exact -> Vector;
    LabelJoin = "label_join"(Vector, String, String, String) LastRepeated -> Vector;
    LabelReplace = "label_replace"(Vector, String, String, String, String) Exact -> Vector;
    LastOverTime = "last_over_time"(Matrix) Exact -> Vector;
    Ln = "ln"(Vector) Exact -> Vector;
    Log10 = "log10"(Vector) Exact -> Vector;
    Log2 = "log2"(Vector) Exact -> Vector;
    MaxOverTime = "max_over_time"(Matrix) Exact -> Vector;
    MinOverTime = "min_over_time"(Matrix) Exact -> Vector;
    Minute = "minute"(Vector) LastOptional -> Vector;
    Month = "month"(Vector) LastOptional -> Vector;
    Pi = "pi"() Exact -> Scalar;
    PredictLinear = "predict_linear"(Matrix, Scalar) Exact -> Vector;
    PresentOverTime = "present_over_time"(Matrix) Exact -> Vector;
    QuantileOverTime = "quantile_over_time"(Scalar, Matrix) Exact -> Vector;
    Rad = "rad"(Vector) Exact -> Vector;
    Rate = "rate"(Matrix) Exact -> Vector;
    Resets = "resets"(Matrix) Exact -> Vector;
    Round = "round"(Vector, Scalar) LastOptional -> Vector;
    ScalarOf = "scalar"(Vector) Exact -> Scalar;
    Sgn = "sgn"(Vector) Exact -> Vector;
    Sin = "sin"(Vector) Exact -> Vector;
    Sinh = "sinh"(Vector) Exact -> Vector;
    Sort = "sort"(Vector) Exact -> Vector;
    SortDesc = "sort_desc"(Vector) Exact -> Vector;
    Sqrt = "sqrt"(Vector) Exact -> Vector;
    StddevOverTime = "stddev_over_time"(Matrix) Exact -> Vector;
    StdvarOverTime = "stdvar_over_time"(Matrix) Exact -> Vector;
    SumOverTime = "sum_over_time"(Matrix) Exact -> Vector;
    Tan = "tan"(Vector) Exact -> Vector;
    Tanh = "tanh"(Vector) Exact -> Vector;
    Time = "time"() Exact -> Scalar;
    Timestamp = "timestamp"(Vector) Exact -> Vector;
    VectorOf = "vector"(Scalar) Exact -> Vector;
    Year = "year"(Vector) LastOptional -> Vector;
}

/// Functions that Prometheus has only behind a feature flag, and `holt_winters`, which 3.0 renamed and put behind one.
pub(super) const EXPERIMENTAL: &[&str] = &[
    "double_exponential_smoothing",
    "end",
    "histogram_quantiles",
    "holt_winters",
    "info",
    "mad_over_time",
    "max_of",
    "min_of",
    "range",
    "sort_by_label",
    "sort_by_label_desc",
    "start",
    "start_timestamp",
    "step",
    "ts_of_first_over_time",
    "ts_of_last_over_time",
    "ts_of_max_over_time",
    "ts_of_min_over_time",
];

impl Function {
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|function| function.name() == name)
    }

    /// The minimum and the maximum number of arguments.
    #[must_use]
    pub fn arg_count(self) -> (usize, usize) {
        let all = self.args().len();
        match self.arity() {
            Arity::Exact => (all, all),
            Arity::LastOptional => (all - 1, all),
            Arity::LastRepeated => (all - 1, usize::MAX),
        }
    }
}

/// The function or aggregation with the most similar name, if any is similar enough.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let aggregations = [
        "sum",
        "avg",
        "count",
        "min",
        "max",
        "group",
        "stddev",
        "stdvar",
        "topk",
        "bottomk",
        "count_values",
        "quantile",
    ];
    let names = Function::ALL.iter().map(|function| function.name());
    let near = names
        .chain(aggregations)
        .map(|known| (distance(name, known), !known.starts_with(name), known))
        .min()?;
    let (distance, _, known) = near;
    (distance <= 1 + name.len() / 4 && distance < name.len()).then_some(known)
}

/// The edit distance (insertion, deletion, replacement, transposition of neighbours) between two names.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() > 64 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = above[j] + usize::from(!a[i].eq_ignore_ascii_case(&b[j]));
            let mut best = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}
