//! Nodes, pipelines and variables. The source of the rules is `text/template/exec.go`.

use std::ops::Range;

use super::super::ast::{Branch, Command, Node, Operand, OperandKind, Pipeline, Template};
use super::super::function::{Function, Parameter};
use super::value::Value;
use super::{Environment, builtin, go, printf, prometheus};

/// The bounds of one run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest output and the longest intermediate string, in bytes.
    pub bytes: usize,
    /// The most nodes and commands.
    pub steps: usize,
    /// How deep named templates may call each other.
    pub depth: usize,
}

impl Default for Limits {
    /// 64 KiB of output and 100,000 steps.
    fn default() -> Self {
        Self {
            bytes: 64 << 10,
            steps: 100_000,
            depth: 100,
        }
    }
}

/// A template that failed. `Display` is the message that Go prints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}:{column}: executing {running:?} at <{context}>: {message}")]
pub struct ExecutionError {
    name: String,
    running: String,
    line: usize,
    column: usize,
    context: String,
    /// The reason alone.
    pub message: String,
}

/// Runs `template`, parsed from `text`, over `data`.
///
/// The variables `$labels`, `$externalLabels`, `$externalURL` and `$value` are the fields of `data` of these names.
/// `name` is that of the template in errors.
///
/// # Errors
/// The first failure, at which Go stops too, and an exceeded limit.
pub fn execute(
    name: &str,
    template: &Template,
    text: &str,
    data: &Value,
    environment: &dyn Environment,
    limits: Limits,
) -> Result<String, ExecutionError> {
    let mut variables = vec![("$".to_owned(), data.clone())];
    for (variable, field) in GIVEN {
        if let Ok(value) = data.field(field) {
            variables.push((variable.to_owned(), value));
        }
    }
    let mut run = Run {
        template,
        text,
        environment,
        limits,
        out: String::new(),
        steps: 0,
        depth: 0,
        running: String::new(),
        at: Place::default(),
        variables,
    };
    match run.nodes(&template.nodes, data) {
        Ok(_) => Ok(run.out),
        Err(failure) => Err(failure.explain(name, text)),
    }
}

/// The variables that Prometheus declares, and the fields that they hold.
const GIVEN: [(&str, &str); 4] = [
    ("$labels", "Labels"),
    ("$externalLabels", "ExternalLabels"),
    ("$externalURL", "ExternalURL"),
    ("$value", "Value"),
];

/// The declarations that Prometheus inserts before a template. In errors, the columns of the first line include them.
const DECLARATIONS: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// A message, and the node that was being evaluated.
struct Failure {
    /// The template that was running.
    template: String,
    place: Place,
    message: String,
}

/// The node that is being evaluated, which errors name.
#[derive(Clone, Default)]
struct Place {
    span: Range<usize>,
    /// The byte that line and column are of; not the first one of `$labels.queue`, where Go counts from `.queue`.
    position: usize,
    /// The node's text, where it is not the text of its span.
    shown: Option<String>,
}

impl Failure {
    /// `name` is that of the outermost template, whose text is `text`.
    fn explain(self, name: &str, text: &str) -> ExecutionError {
        let before = text.get(..self.place.position).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let declared = if line_start == 0 {
            DECLARATIONS.len()
        } else {
            0
        };
        let source = text.get(self.place.span.clone()).unwrap_or_default();
        ExecutionError {
            name: name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.len() - line_start + declared,
            running: match self.template.is_empty() {
                true => name.to_owned(),
                false => self.template,
            },
            context: self.place.shown.unwrap_or_else(|| source.to_owned()),
            message: self.message,
        }
    }
}

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Done,
    Break,
    Continue,
}

struct Run<'a> {
    template: &'a Template,
    text: &'a str,
    environment: &'a dyn Environment,
    limits: Limits,
    out: String,
    steps: usize,
    depth: usize,
    /// The named template that is running; empty in the outermost.
    running: String,
    at: Place,
    /// Innermost last.
    variables: Vec<(String, Value)>,
}

impl Run<'_> {
    fn at(&mut self, span: &Range<usize>) {
        self.at = Place {
            span: span.clone(),
            position: span.start,
            shown: None,
        };
    }

    fn at_operand(&mut self, operand: &Operand) {
        self.at(&operand.span);
        let counted = usize::from(operand.kind == OperandKind::Dot);
        if let Some(field) = operand.fields.get(counted) {
            self.at.position = field.span.start - 1;
        }
    }

    fn fail(&self, message: impl Into<String>) -> Failure {
        Failure {
            template: self.running.clone(),
            place: self.at.clone(),
            message: message.into(),
        }
    }

    fn step(&mut self) -> Result<(), Failure> {
        self.steps += 1;
        match self.steps > self.limits.steps {
            true => Err(self.fail(format!("more than {} steps", self.limits.steps))),
            false => Ok(()),
        }
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.bounded(self.out.len() + text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    fn bounded(&self, bytes: usize) -> Result<(), Failure> {
        match bytes > self.limits.bytes {
            true => Err(self.fail(format!("the text exceeds {} bytes", self.limits.bytes))),
            false => Ok(()),
        }
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, Failure> {
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(text) => {
                    self.write(text)?;
                    Flow::Done
                }
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        let text = match value {
                            Value::Nil => "<no value>".to_owned(),
                            value => printf::plain(&value),
                        };
                        self.write(&text)?;
                    }
                    Flow::Done
                }
                Node::If(branch) => self.branch(branch, dot, false)?,
                Node::With(branch) => self.branch(branch, dot, true)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Template {
                    span,
                    name,
                    argument,
                } => {
                    self.call(span, name, argument.as_ref(), dot)?;
                    Flow::Done
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Done {
                return Ok(flow);
            }
        }
        Ok(Flow::Done)
    }

    /// `if` and `with`.
    fn branch(&mut self, branch: &Branch, dot: &Value, sets_dot: bool) -> Result<Flow, Failure> {
        let outside = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = match (value.is_true(), sets_dot) {
            (true, true) => self.nodes(&branch.body, &value),
            (true, false) => self.nodes(&branch.body, dot),
            (false, _) => self.nodes(&branch.otherwise, dot),
        };
        self.variables.truncate(outside);
        flow
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, Failure> {
        let outside = self.variables.len();
        let pipeline = &branch.pipeline;
        let value = self.commands(pipeline, dot)?;
        let items = self.items(&value)?;
        let mut flow = Flow::Done;
        if items.is_empty() {
            flow = self.nodes(&branch.otherwise, dot)?;
        }
        for (key, item) in items {
            self.step()?;
            match (&pipeline.variables[..], pipeline.declares) {
                ([index, each], true) => {
                    self.variables.push((index.text.clone(), key));
                    self.variables.push((each.text.clone(), item.clone()));
                }
                ([each], true) => self.variables.push((each.text.clone(), item.clone())),
                ([index, each], false) => {
                    self.assign(&index.text, key);
                    self.assign(&each.text, item.clone());
                }
                ([each], false) => self.assign(&each.text, item.clone()),
                _ => {}
            }
            let ended = self.nodes(&branch.body, &item)?;
            self.variables.truncate(outside);
            if ended == Flow::Break {
                break;
            }
        }
        self.variables.truncate(outside);
        Ok(flow)
    }

    /// The keys and values that a `range` visits.
    fn items(&self, value: &Value) -> Result<Vec<(Value, Value)>, Failure> {
        Ok(match value {
            Value::List(list) => {
                let indexed = list.iter().enumerate();
                let indexed = indexed.map(|(index, item)| (Value::Int(index as i64), item.clone()));
                indexed.collect()
            }
            Value::Strings(map) => {
                let items = map.iter();
                let items = items.map(|(key, item)| (Value::text(&**key), Value::text(&**item)));
                items.collect()
            }
            Value::Map(map) => {
                let items = map.iter();
                items
                    .map(|(key, item)| (Value::text(&**key), item.clone()))
                    .collect()
            }
            Value::Int(count) => {
                let count = (*count).clamp(0, self.limits.steps as i64 + 1);
                (0..count)
                    .map(|index| (Value::Int(index), Value::Int(index)))
                    .collect()
            }
            Value::Nil => Vec::new(),
            other => {
                return Err(self.fail(format!("range can't iterate over {}", printf::plain(other))));
            }
        })
    }

    fn call(
        &mut self,
        span: &Range<usize>,
        name: &str,
        argument: Option<&Pipeline>,
        dot: &Value,
    ) -> Result<(), Failure> {
        self.at = Place {
            span: span.clone(),
            position: span.start,
            shown: Some(format!("{{{{template {}}}}}", go::quote(name))),
        };
        let mut defined = self.template.defined.iter().rev();
        let Some((_, nodes)) = defined.find(|(defined, _)| defined == name) else {
            return Err(self.fail(format!("template {} not defined", go::quote(name))));
        };
        if self.depth >= self.limits.depth {
            let message = format!("exceeded maximum template depth ({})", self.limits.depth);
            return Err(self.fail(message));
        }
        let dot = match argument {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Nil,
        };
        // A named template sees none of the caller's variables.
        let outside = std::mem::replace(&mut self.variables, vec![("$".to_owned(), dot.clone())]);
        let caller = std::mem::replace(&mut self.running, name.to_owned());
        self.depth += 1;
        self.nodes(nodes, &dot)?;
        self.depth -= 1;
        self.running = caller;
        self.variables = outside;
        Ok(())
    }

    /// Evaluates a pipeline, and declares or assigns its variable.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, Failure> {
        let value = self.commands(pipeline, dot)?;
        for variable in &pipeline.variables {
            match pipeline.declares {
                true => self.variables.push((variable.text.clone(), value.clone())),
                false => self.assign(&variable.text, value.clone()),
            }
        }
        Ok(value)
    }

    fn assign(&mut self, name: &str, value: Value) {
        let mut variables = self.variables.iter_mut().rev();
        if let Some((_, held)) = variables.find(|(known, _)| known == name) {
            *held = value;
        }
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, Failure> {
        self.at(&pipeline.span);
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, dot)?);
        }
        Ok(piped.unwrap_or(Value::Nil))
    }

    fn command(
        &mut self,
        command: &Command,
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, Failure> {
        self.step()?;
        let Some((first, arguments)) = command.operands.split_first() else {
            return Err(self.fail("empty command"));
        };
        if let (OperandKind::Function(function), true) = (&first.kind, first.fields.is_empty()) {
            self.at(&first.span);
            return self.function(*function, &command.span, arguments, piped, dot);
        }
        if !arguments.is_empty() || piped.is_some() {
            self.at(&first.span);
            let message = match first.fields.last() {
                Some(field) => format!(
                    "{} has arguments but cannot be invoked as function",
                    field.text
                ),
                None => format!(
                    "can't give argument to non-function {}",
                    self.text(&first.span)
                ),
            };
            return Err(self.fail(message));
        }
        if first.kind == OperandKind::Nil {
            self.at(&first.span);
            return Err(self.fail("nil is not a command"));
        }
        self.operand(first, dot)
    }

    fn function(
        &mut self,
        function: Function,
        span: &Range<usize>,
        arguments: &[Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, Failure> {
        let name = function.name();
        let count = arguments.len() + usize::from(piped.is_some());
        let (fewest, most) = function.arity();
        if count < fewest || count > most {
            let want = match fewest == most {
                true => fewest.to_string(),
                false => format!("at least {fewest}"),
            };
            return Err(self.fail(format!(
                "wrong number of args for {name}: want {want} got {count}"
            )));
        }
        // The result decides which arguments are evaluated at all.
        if matches!(function, Function::And | Function::Or) {
            let stops_at = function == Function::Or;
            let mut value = Value::Nil;
            for argument in arguments {
                value = self.argument(Parameter::Any, argument, dot)?;
                if value.is_true() == stops_at {
                    return Ok(value);
                }
            }
            return Ok(piped.unwrap_or(value));
        }
        let mut values = Vec::with_capacity(count);
        for (at, argument) in arguments.iter().enumerate() {
            values.push(self.argument(function.parameter(at), argument, dot)?);
        }
        if let Some(piped) = piped {
            values.push(self.typed(function.parameter(arguments.len()), piped)?);
        }
        let called = match builtin::call(function, &values) {
            Some(result) => result,
            None => prometheus::call(function, &values, self.environment),
        };
        let value = called.map_err(|error| {
            self.at(span);
            self.fail(format!("error calling {name}: {error}"))
        })?;
        if let Value::Text(text) = &value {
            self.bounded(text.len())?;
        }
        Ok(value)
    }

    /// An argument of the type that its parameter has.
    fn argument(
        &mut self,
        parameter: Parameter,
        operand: &Operand,
        dot: &Value,
    ) -> Result<Value, Failure> {
        self.at_operand(operand);
        match (&operand.kind, parameter) {
            (OperandKind::Nil, Parameter::Any) => Ok(Value::Nil),
            (OperandKind::Nil, Parameter::Text) => Err(self.fail("cannot assign nil to string")),
            (OperandKind::Nil, _) => Ok(Value::Nil),
            (OperandKind::Text(_), Parameter::Text) => self.operand(operand, dot),
            (
                OperandKind::Number(_) | OperandKind::Character(_) | OperandKind::Bool(_),
                Parameter::Text,
            ) => Err(self.fail(format!(
                "expected string; found {}",
                self.text(&operand.span)
            ))),
            (
                OperandKind::Number(_)
                | OperandKind::Character(_)
                | OperandKind::Bool(_)
                | OperandKind::Text(_),
                Parameter::Sample | Parameter::Samples,
            ) => {
                let (text, kind) = (self.text(&operand.span), parameter.kind());
                Err(self.fail(format!("can't handle {text} for arg of type {kind}")))
            }
            _ => {
                let value = self.operand(operand, dot)?;
                self.typed(parameter, value)
            }
        }
    }

    fn typed(&self, parameter: Parameter, value: Value) -> Result<Value, Failure> {
        match (parameter, &value) {
            (Parameter::Any, _)
            | (Parameter::Text, Value::Text(_))
            | (Parameter::Sample, Value::Sample(_))
            | (Parameter::Samples, Value::List(_)) => Ok(value),
            (Parameter::Text, Value::Nil) => Err(self.fail("invalid value; expected string")),
            (Parameter::Sample | Parameter::Samples, Value::Nil) => Ok(value),
            _ => {
                let (expected, kind) = (parameter.kind(), value.kind());
                Err(self.fail(format!(
                    "wrong type for value; expected {expected}; got {kind}"
                )))
            }
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, Failure> {
        if !matches!(operand.kind, OperandKind::Paren(_)) {
            self.at_operand(operand);
        }
        let mut value = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Nil => Value::Nil,
            OperandKind::Bool(truth) => Value::Bool(*truth),
            OperandKind::Number(text) => number(text).map_err(|message| self.fail(message))?,
            OperandKind::Character(c) => Value::Int(i64::from(u32::from(*c))),
            OperandKind::Text(text) => Value::text(text.as_str()),
            OperandKind::Variable(name) => {
                let mut variables = self.variables.iter().rev();
                let found = variables.find(|(known, _)| known == name);
                found.map_or(Value::Nil, |(_, value)| value.clone())
            }
            OperandKind::Function(function) => {
                self.function(*function, &operand.span, &[], None, dot)?
            }
            OperandKind::Paren(pipeline) => self.pipeline(pipeline, dot)?,
        };
        for field in &operand.fields {
            value = value.field(&field.text).map_err(|message| {
                self.at_operand(operand);
                self.fail(message)
            })?;
        }
        Ok(value)
    }

    fn text(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }
}

/// A constant: a float if it has a point or an exponent, an integer otherwise.
fn number(text: &str) -> Result<Value, String> {
    let plain = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter();
    let mut prefixed =
        radix.filter_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, radix)));
    let is_octal =
        digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    let integer = match prefixed.next() {
        Some((digits, radix)) => i64::from_str_radix(digits, radix).ok(),
        None if is_octal => i64::from_str_radix(digits, 8).ok(),
        None => digits.parse().ok(),
    };
    if let Some(integer) = integer {
        return Ok(Value::Int(sign * integer));
    }
    match digits.parse::<f64>() {
        Ok(number) if digits.contains(['.', 'e', 'p']) => {
            Ok(Value::Float(f64::from(sign as i32) * number))
        }
        _ => Err(format!("{text} overflows int")),
    }
}
