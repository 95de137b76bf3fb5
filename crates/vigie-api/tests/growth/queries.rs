//! Queries that grow: nested calls that multiply labels, texts, series, steps, warnings and the text of the answer.

use std::fmt::Write as _;

/// Where choices come from: random numbers, or the bytes of a fuzzer.
pub(crate) trait Choices {
    /// A number below `count`, which is not 0.
    fn below(&mut self, count: usize) -> usize;

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Random numbers by xorshift.
pub(crate) struct Seeded(pub(crate) u64);

impl Choices for Seeded {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % count
    }
}

const LABELS: &[&str] = &["a", "b", "z", "y", "le", "__name__"];

/// A request to `/api/v1/query` or `/api/v1/query_range`, with its parameters.
pub(crate) fn request(choices: &mut impl Choices) -> (&'static str, Vec<(&'static str, String)>) {
    let depth = choices.of(&[1, 3, 6, 12, 30]);
    let query = expression(choices, depth);
    let mut parameters = vec![("query", query)];
    if choices.below(4) == 0 {
        parameters.push(("stats", "all".to_owned()));
    }
    if choices.below(2) == 0 {
        parameters.push(("time", "600".to_owned()));
        return ("query", parameters);
    }
    let end = choices.of(&[600, 660, 700, 1_600, 5_000]);
    parameters.push(("start", "600".to_owned()));
    parameters.push(("end", end.to_string()));
    parameters.push(("step", choices.of(&["1", "7", "60"]).to_owned()));
    ("query_range", parameters)
}

fn expression(choices: &mut impl Choices, depth: usize) -> String {
    match choices.below(16) {
        0 => format!("\"{}\"", text(choices)),
        1 => format!("({})[5m:{}]", vector(choices, depth), step(choices)),
        2 => {
            // A run of operators, whose syntax tree is much larger than its text.
            let operand = choices.of(&["1", "-1", "(1)", "pi()"]);
            let operator = choices.of(&["+", "*", "^", "==bool"]);
            vec![operand; choices.of(&[10, 1_000, 6_000])].join(operator)
        }
        _ => vector(choices, depth),
    }
}

fn vector(choices: &mut impl Choices, depth: usize) -> String {
    if depth == 0 {
        return selector(choices);
    }
    let inner = vector(choices, depth - 1);
    match choices.below(24) {
        0..5 => {
            let replacement = match choices.below(4) {
                0 => format!("{}$1", text(choices)),
                _ => choices
                    .of(&["$1$1", "$1$1$1$1", "$0-$1", "$1$1$1$1$1$1$1$1"])
                    .to_owned(),
            };
            let pattern = choices.of(&["(.*)", "(.*)(.)", "(?s)(..*)", "x*(.*)"]);
            let (to, from) = (label(choices), label(choices));
            format!("label_replace({inner},\"{to}\",\"{replacement}\",\"{from}\",\"{pattern}\")")
        }
        5..9 => {
            let to = label(choices);
            let mut call = format!("label_join({inner},\"{to}\",\"{}\"", text(choices));
            for _ in 0..choices.of(&[1, 2, 4, 300]) {
                let _ = write!(call, ",\"{}\"", label(choices));
            }
            call + ")"
        }
        9 => format!("count_values(\"{}\",{inner})", label(choices)),
        10 => {
            let name = choices.of(&["sum", "avg", "stddev", "group", "topk", "quantile"]);
            let parameter = match name {
                "topk" => "1000,",
                "quantile" => "2+time(),",
                _ => "",
            };
            let how = choices.of(&["by", "without"]);
            let (first, second) = (label(choices), label(choices));
            format!("{name} {how} ({first},{second}) ({parameter}{inner})")
        }
        11 => {
            let (first, second) = (label(choices), label(choices));
            let other = vector(choices, depth / 2);
            let side = choices.of(&["left", "right"]);
            format!("({inner}) * on(a,b) group_{side}({first},{second}) ({other})")
        }
        12 => {
            let other = vector(choices, depth / 2);
            let operator = choices.of(&["or", "and", "unless", "+", "== bool", ">"]);
            format!("({inner}) {operator} ({other})")
        }
        13 => format!(
            "histogram_quantile({}, {inner})",
            choices.of(&["0.9", "time()"])
        ),
        14 | 15 => {
            let function = choices.of(&[
                "rate",
                "max_over_time",
                "quantile_over_time",
                "absent_over_time",
            ]);
            let parameter = match function {
                "quantile_over_time" => "time(),",
                _ => "",
            };
            let range = choices.of(&["1m", "10m", "1d"]);
            format!(
                "{function}({parameter}({inner})[{range}:{}])",
                step(choices)
            )
        }
        16 => format!("absent({})", selector(choices)),
        17 => format!("sort({inner})"),
        18 => format!("clamp({inner},-time(),time())"),
        19 => format!("timestamp({inner})"),
        _ => format!("abs({inner})"),
    }
}

fn selector(choices: &mut impl Choices) -> String {
    match choices.below(8) {
        0 => "vector(time())".to_owned(),
        1 => format!("absent(nothing{{z=\"{}\"}})", text(choices)),
        2 => "x @ 600".to_owned(),
        3 => "{__name__!=\"\"}".to_owned(),
        4 => "h_bucket".to_owned(),
        _ => "x".to_owned(),
    }
}

fn label(choices: &mut impl Choices) -> &'static str {
    choices.of(LABELS)
}

fn step(choices: &mut impl Choices) -> &'static str {
    choices.of(&["1s", "10ms", "1m"])
}

/// Text that is short or long, and may take more bytes in an answer than in memory.
fn text(choices: &mut impl Choices) -> String {
    let length = choices.of(&[0, 1, 10, 300, 3_000]);
    choices.of(&["x", "<", "\\x01", "é", "1"]).repeat(length)
}
