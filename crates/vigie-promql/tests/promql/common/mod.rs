//! Random queries of realistic form.
#![allow(unreachable_pub, dead_code)]

use proptest::{prelude::*, sample::select};
use vigie_promql::syntax::{Function, ValueType};

/// The vocabulary of queries.
#[derive(Clone, Copy)]
pub struct Words {
    /// Suffixes of selectors.
    pub shifts: &'static [&'static str],
    /// Suffixes of selectors that are arguments of range functions.
    pub ranges: &'static [&'static str],
    /// Suffixes of expressions that are arguments of range functions.
    pub subqueries: &'static [&'static str],
    /// Special numbers, used in addition to ordinary ones.
    pub numbers: &'static [&'static str],
    /// Binary operators.
    pub operators: &'static [&'static str],
    /// Functions and aggregations to leave out.
    pub without: &'static [&'static str],
    /// Whether experimental functions, aggregations and modifiers are used too.
    pub experimental: bool,
    /// Whether `topk`, `bottomk` and `count_values` are only applied to selectors, so that ties and rounding
    /// differences do not matter.
    pub picks_from_selectors_only: bool,
}

impl Words {
    /// The whole language, with what is experimental.
    pub const fn experimental() -> Self {
        Self {
            experimental: true,
            ranges: &[
                "[1m]",
                "[5m]",
                "[1s]",
                "[5m] @ 300",
                "[2m] anchored",
                "[90s] smoothed offset 1m",
            ],
            shifts: &[
                "",
                "",
                "",
                " offset 1m",
                " @ 300",
                " smoothed",
                " @ 0 smoothed offset -2m",
            ],
            ..Self::all()
        }
    }

    /// The whole stable language.
    pub const fn all() -> Self {
        Self {
            shifts: &[
                "",
                "",
                "",
                " offset 1m",
                " offset -90s",
                " @ 300",
                " @ 0 offset -2m",
            ],
            ranges: &[
                "[1m]",
                "[5m]",
                "[30s]",
                "[1s]",
                "[10m] offset 1m",
                "[5m] @ 300",
            ],
            subqueries: &[
                "[5m:1m]",
                "[2m:]",
                "[1m:7s]",
                "[3m:30s] offset 1m",
                "[2m:20s] @ 200",
            ],
            numbers: &["1e300", "-1e-300", "NaN", "Inf", "-Inf", "5m"],
            operators: &[
                "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "< bool", ">=",
            ],
            without: &[],
            experimental: false,
            picks_from_selectors_only: false,
        }
    }
}

fn numbers(words: Words) -> impl Strategy<Value = String> {
    prop_oneof![
        1 => select(words.numbers).prop_map(str::to_owned),
        2 => select(&["0", "1", "-1", "0.5", "2", "60"][..]).prop_map(str::to_owned),
        2 => (-100i32..100).prop_map(|number| number.to_string()),
    ]
}

fn selectors(words: Words) -> BoxedStrategy<String> {
    let metrics = [
        "a_total",
        "b",
        "h_bucket",
        "{__name__=~\"a_total|b\"}",
        "nothing",
        "{x=~\".+\"}",
        "b{x!=\"1\"}",
    ];
    let selector = (select(metrics.to_vec()), select(words.shifts));
    selector
        .prop_map(|(metric, shift)| format!("{metric}{shift}"))
        .boxed()
}

fn ranges(words: Words, vector: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let metric = select(&["a_total", "b", "h_bucket", "{x=~\".+\"}"][..]);
    prop_oneof![
        (metric, select(words.ranges)).prop_map(|(metric, range)| format!("{metric}{range}")),
        (vector, select(words.subqueries)).prop_map(|(vector, range)| format!("({vector}){range}")),
    ]
}

fn functions(words: Words) -> Vec<Function> {
    let all = Function::ALL.iter().copied();
    let vectors = all.filter(|function| function.returns() == ValueType::Vector);
    vectors
        .filter(|function| words.experimental || !function.is_experimental())
        .filter(|function| !words.without.contains(&function.name()))
        .collect()
}

/// Queries with an instant vector as their result.
pub fn vectors(words: Words) -> BoxedStrategy<String> {
    let plain = selectors(words);
    let labels = select(&["x", "le", "job", "__name__", "nothing"][..]);
    let grouping = prop_oneof![
        Just(String::new()),
        labels.clone().prop_map(|label| format!(" by ({label})")),
        labels
            .clone()
            .prop_map(|label| format!(" without ({label}, x)")),
    ];
    let nest = move |vector: BoxedStrategy<String>| {
        let scalar = prop_oneof![
            3 => numbers(words),
            1 => vector.clone().prop_map(|vector| format!("scalar({vector})")),
            1 => Just("time()".to_owned()),
        ]
        .boxed();
        let picked = if words.picks_from_selectors_only {
            plain.clone()
        } else {
            vector.clone()
        };
        prop_oneof![
            2 => call(words, vector.clone(), scalar.clone()),
            2 => aggregation(words, grouping.clone().boxed(), vector.clone(), scalar.clone(), picked),
            2 => operation(words, vector.clone(), scalar),
            1 => vector.prop_map(|vector| format!("-({vector})")),
        ]
    };
    selectors(words).prop_recursive(4, 24, 3, nest).boxed()
}

fn call(
    words: Words,
    vector: BoxedStrategy<String>,
    scalar: BoxedStrategy<String>,
) -> BoxedStrategy<String> {
    let label = select(&["x", "le", "job", "__name__", "nothing"][..]);
    let parts = (
        select(functions(words)),
        prop::collection::vec(vector.clone(), 3),
        prop::collection::vec(scalar, 5),
        ranges(words, vector),
        prop::collection::vec(label, 5),
    );
    let call = parts.prop_map(|(function, vectors, scalars, range, labels)| {
        let args = function.args().iter().enumerate();
        let args = args.map(|(at, arg)| match arg {
            ValueType::Vector if function == Function::Info && at == 1 => "{x=~\".*\"}".to_owned(),
            ValueType::Vector => vectors[at % 3].clone(),
            ValueType::Scalar => scalars[at].clone(),
            ValueType::Matrix => range.clone(),
            ValueType::String => format!("\"{}\"", labels[at]),
        });
        format!(
            "{}({})",
            function.name(),
            args.collect::<Vec<_>>().join(", ")
        )
    });
    call.boxed()
}

fn aggregation(
    words: Words,
    grouping: BoxedStrategy<String>,
    vector: BoxedStrategy<String>,
    scalar: BoxedStrategy<String>,
    picked: BoxedStrategy<String>,
) -> BoxedStrategy<String> {
    let label = select(&["x", "le", "job", "value"][..]);
    let op = [
        "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar",
    ]
    .into_iter();
    let op = op
        .filter(|op| !words.without.contains(op))
        .collect::<Vec<_>>();
    let op = select(op);
    let pick = select(match words.experimental {
        true => &["topk", "bottomk", "limitk", "limit_ratio"][..],
        false => &["topk", "bottomk"][..],
    });
    prop_oneof![
        3 => (op, grouping.clone(), vector.clone())
            .prop_map(|(op, grouping, vector)| format!("{op}{grouping} ({vector})")),
        1 => (pick, grouping.clone(), scalar.clone(), picked.clone())
            .prop_map(|(op, grouping, param, vector)| format!("{op}{grouping} ({param}, {vector})")),
        1 => (grouping.clone(), scalar, vector)
            .prop_map(|(grouping, param, vector)| format!("quantile{grouping} ({param}, {vector})")),
        1 => (grouping, label, picked)
            .prop_map(|(grouping, label, vector)| format!("count_values{grouping} (\"{label}\", {vector})")),
    ]
    .boxed()
}

fn operation(
    words: Words,
    vector: BoxedStrategy<String>,
    scalar: BoxedStrategy<String>,
) -> BoxedStrategy<String> {
    let label = || select(&["x", "le", "job", "__name__", "nothing"][..]);
    let matching = prop_oneof![
        3 => Just(String::new()),
        1 => label().prop_map(|label| format!("on ({label})")),
        1 => label().prop_map(|label| format!("ignoring ({label})")),
        1 => label().prop_map(|label| format!("ignoring ({label}) group_left (job)")),
        1 => Just("on (x) group_right (le)".to_owned()),
    ];
    let matching = match words.experimental {
        true => prop_oneof![
            3 => matching.clone(),
            1 => (select(&["", "on (x)", "ignoring (le) group_left ()"][..]), select(&["fill (1)", "fill_left (NaN)", "fill_right (-0.5)"][..]))
                .prop_map(|(matching, fill)| format!("{matching} {fill}")),
        ]
        .boxed(),
        false => matching.boxed(),
    };
    let sets = select(&["and", "or", "unless", "or on (x)", "and ignoring (le)"][..]);
    prop_oneof![
        (
            vector.clone(),
            select(words.operators),
            matching,
            vector.clone()
        )
            .prop_map(|(left, op, matching, right)| format!("({left}) {op} {matching} ({right})")),
        (vector.clone(), select(words.operators), scalar.clone())
            .prop_map(|(vector, op, scalar)| format!("({vector}) {op} {scalar}")),
        (scalar, select(words.operators), vector.clone())
            .prop_map(|(scalar, op, vector)| format!("{scalar} {op} ({vector})")),
        (vector.clone(), sets, vector)
            .prop_map(|(left, op, right)| format!("({left}) {op} ({right})")),
    ]
    .boxed()
}
