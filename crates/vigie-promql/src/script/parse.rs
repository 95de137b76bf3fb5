//! The parser of scripts.

use std::sync::LazyLock;

use regex::Regex;

use super::notation::{self, Point};
use crate::{Labels, syntax::parse_duration};

/// A syntax error in a script.
#[derive(Clone, Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScriptError {
    /// The line, counted from 1.
    pub line: usize,
    /// The error.
    pub message: String,
}

pub(super) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

pub(super) struct Load {
    /// The milliseconds between points; the first is at 0.
    pub(super) step: i64,
    /// Whether classic histograms are also loaded as native ones with custom buckets.
    pub(super) also_native: bool,
    pub(super) series: Vec<(Labels, Vec<Point>)>,
}

pub(super) struct Eval {
    pub(super) line: usize,
    pub(super) query: String,
    pub(super) when: When,
    pub(super) expected: Expected,
    pub(super) expectations: Vec<Expectation>,
    pub(super) ordered: bool,
}

/// Times in milliseconds.
#[derive(Clone, Copy)]
pub(super) enum When {
    Instant(i64),
    Range { start: i64, end: i64, step: i64 },
}

pub(super) enum Expected {
    Series(Vec<(Labels, Vec<Point>)>),
    /// A range vector with points from `start` on, `step` apart.
    RangeVector {
        start: i64,
        step: i64,
        series: Vec<(Labels, Vec<Point>)>,
    },
    Scalar(f64),
    Text(String),
}

pub(super) struct Expectation {
    pub(super) kind: ExpectationKind,
    pub(super) text: Text,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpectationKind {
    Fail,
    Warn,
    Info,
    NoWarn,
    NoInfo,
}

pub(super) enum Text {
    Any,
    Is(String),
    Matches(Regex),
}

impl Text {
    pub(super) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(expected) => expected == text,
            Self::Matches(regex) => regex.is_match(text),
        }
    }
}

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());
    };
}

pattern!(LOAD, r"^load(_with_nhcb)?\s+(.+?)$");
pattern!(
    INSTANT,
    r"^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$"
);
pattern!(
    RANGE,
    r"^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$"
);
pattern!(
    EXPECT,
    r"^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$"
);
pattern!(
    RANGE_VECTOR,
    r"^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$"
);

fn parts<'t>(pattern: &LazyLock<Option<Regex>>, line: &'t str) -> Option<Vec<&'t str>> {
    let found = LazyLock::force(pattern).as_ref()?.captures(line)?;
    let groups = found.iter().skip(1);
    Some(
        groups
            .map(|group| group.map_or("", |group| group.as_str()))
            .collect(),
    )
}

/// The commands, and the errors of those that cannot be read.
pub(super) fn commands(text: &str) -> impl Iterator<Item = Result<Command, ScriptError>> {
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .map(|line| if line.starts_with('#') { "" } else { line })
        .collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if line.is_empty() {
            at += 1;
            continue;
        }
        let block = lines[at..]
            .iter()
            .take_while(|line| !line.is_empty())
            .count();
        let body = &lines[at + 1..at + block];
        let command = match line {
            "clear" => {
                commands.push(Ok(Command::Clear));
                at += 1;
                continue;
            }
            _ if line.starts_with("load") => load(line, body, at + 1),
            _ if line.starts_with("eval") => eval(line, body, at + 1),
            _ => Err(error(at + 1, "expected clear, load or eval")),
        };
        commands.push(command);
        at += block;
    }
    commands.into_iter()
}

fn error(line: usize, message: impl Into<String>) -> ScriptError {
    ScriptError {
        line,
        message: message.into(),
    }
}

fn duration(text: &str, line: usize) -> Result<i64, ScriptError> {
    if text == "0" {
        return Ok(0);
    }
    parse_duration(text).map_err(|message| error(line, message))
}

fn load(head: &str, body: &[&str], line: usize) -> Result<Command, ScriptError> {
    let parts = parts(&LOAD, head).ok_or_else(|| error(line, "write load <step>"))?;
    let step = duration(parts[1], line)?;
    let series = body
        .iter()
        .enumerate()
        .map(|(at, text)| notation::series(text).map_err(|message| error(line + 1 + at, message)));
    Ok(Command::Load(Load {
        step,
        also_native: !parts[0].is_empty(),
        series: series.collect::<Result<_, _>>()?,
    }))
}

fn eval(head: &str, body: &[&str], line: usize) -> Result<Command, ScriptError> {
    let (modifier, when, query) = if let Some(parts) = parts(&INSTANT, head) {
        let time = match parts[1] {
            "" => 0,
            at => duration(at, line)?,
        };
        (parts[0], When::Instant(time), parts[2])
    } else if let Some(parts) = parts(&RANGE, head) {
        let when = When::Range {
            start: duration(parts[1], line)?,
            end: duration(parts[2], line)?,
            step: duration(parts[3], line)?,
        };
        (parts[0], when, parts[4])
    } else {
        let forms = "write eval instant at <time> <query> or eval range from <time> to <time> step <step> <query>";
        return Err(error(line, forms));
    };
    let mut eval = Eval {
        line,
        query: query.to_owned(),
        when,
        expected: Expected::Series(Vec::new()),
        expectations: Vec::new(),
        ordered: modifier == "ordered",
    };
    let implied = match modifier {
        "fail" => Some(ExpectationKind::Fail),
        "warn" => Some(ExpectationKind::Warn),
        "info" => Some(ExpectationKind::Info),
        _ => None,
    };
    if let Some(kind) = implied {
        eval.expectations.push(Expectation {
            kind,
            text: Text::Any,
        });
    }
    for (at, text) in body.iter().enumerate() {
        eval.expect(text, line + 1 + at)?;
    }
    Ok(Command::Eval(Box::new(eval)))
}

impl Eval {
    fn expect(&mut self, text: &str, line: usize) -> Result<(), ScriptError> {
        if let Some(parts) = parts(&RANGE_VECTOR, text) {
            self.expected = Expected::RangeVector {
                start: duration(parts[0], line)?,
                step: duration(parts[2], line)?,
                series: Vec::new(),
            };
            return Ok(());
        }
        if let Some(quoted) = text.strip_prefix("expect string") {
            let quoted = quoted.trim();
            let value = match crate::parse(quoted) {
                Ok(crate::Expr::Text(text)) => text.value,
                _ => return Err(error(line, format!("{quoted} is not a string"))),
            };
            self.expected = Expected::Text(value);
            return Ok(());
        }
        if text.split(' ').next() == Some("expect") {
            let parts = parts(&EXPECT, text);
            let parts = parts.ok_or_else(|| error(line, "unknown kind of expect"))?;
            return self.expect_text(&parts, line);
        }
        for (prefix, regex) in [
            ("expected_fail_message", false),
            ("expected_fail_regexp", true),
        ] {
            if let Some(rest) = text.strip_prefix(prefix) {
                let text = expected_text(if regex { "regex" } else { "msg" }, rest, line)?;
                let kind = ExpectationKind::Fail;
                self.expectations.push(Expectation { kind, text });
                return Ok(());
            }
        }
        if let Ok(number) = notation::number(text) {
            self.expected = Expected::Scalar(number);
            return Ok(());
        }
        let one = notation::series(text).map_err(|message| error(line, message))?;
        match &mut self.expected {
            Expected::Series(series) | Expected::RangeVector { series, .. } => series.push(one),
            _ => {
                return Err(error(line, "expected a number or a string, found a series"));
            }
        }
        Ok(())
    }

    fn expect_text(&mut self, parts: &[&str], line: usize) -> Result<(), ScriptError> {
        let kind = match parts[0] {
            "fail" => ExpectationKind::Fail,
            "warn" => ExpectationKind::Warn,
            "info" => ExpectationKind::Info,
            "no_warn" => ExpectationKind::NoWarn,
            "no_info" => ExpectationKind::NoInfo,
            _ => {
                self.ordered = true;
                return Ok(());
            }
        };
        let text = expected_text(parts[1], parts[2], line)?;
        self.expectations.push(Expectation { kind, text });
        Ok(())
    }

    pub(super) fn expects(&self, kind: ExpectationKind) -> bool {
        self.of(kind).next().is_some()
    }

    pub(super) fn of(&self, kind: ExpectationKind) -> impl Iterator<Item = &Expectation> {
        self.expectations.iter().filter(move |one| one.kind == kind)
    }
}

fn expected_text(form: &str, text: &str, line: usize) -> Result<Text, ScriptError> {
    Ok(match form {
        "msg" => Text::Is(text.trim().to_owned()),
        "regex" => {
            let regex = Regex::new(text.trim());
            Text::Matches(regex.map_err(|fault| error(line, fault.to_string()))?)
        }
        _ => Text::Any,
    })
}
